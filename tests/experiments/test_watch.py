"""Rules side by side: the same machine under each, in a terminal and out of one."""

import io

from rich.console import Console
from rich.text import Text

from experiments import watch
from experiments.identity import Setting
from tests.toys import lively


def machines(*rules: str):
    return watch.machines(lively(), rules, seed=3, setting=Setting())


def written(width: int, terminal: bool, envs, sleep=lambda seconds: None) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    watch.play(envs, console, 1e9, sleep)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_out_of_a_terminal_frames_are_printed_every_five_seconds_side_by_side():
    text = written(130, False, machines("always", "never"))
    heads = [line for line in text.splitlines() if "t = " in line]
    assert heads and all("rule always" in line and "rule never" in line for line in heads)
    assert len(heads) == 1  # at 0; the toy's episode lasts 4 s
    assert "\x1b" not in text


def test_in_a_narrow_terminal_machines_stand_one_below_the_other():
    text = written(80, False, machines("always", "never"))
    assert any("rule always" in line and "rule never" not in line for line in text.splitlines())
    assert max(Text(line).cell_len for line in text.splitlines()) <= 80


def test_in_a_terminal_every_interval_is_a_frame_at_the_pace_asked_for():
    slept: list[float] = []
    text = written(130, True, machines("always", "never"), slept.append)
    assert len(slept) == 41
    assert "t = 4.0 s" in text


def test_all_machines_live_the_same_episode_under_their_own_rule():
    envs = machines("always", "never")
    for _ in watch.frames(envs):
        pass
    one, other = (env.records[0] for env in envs)
    assert one["time_s"] == other["time_s"] == 4.0
    assert (one["workload"]["phase_s"] == other["workload"]["phase_s"]).all()
    assert one["node"]["vmstat"]["resets"].sum() > other["node"]["vmstat"]["resets"].sum()


def test_ctrl_c_leaves_the_terminal_as_it_was():
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    console = Console(file=io.StringIO(), width=130, force_terminal=True)
    try:
        watch.play(machines("always"), console, 1.0, interrupted)
    except KeyboardInterrupt:
        assert isinstance(console.file, io.StringIO)
        assert console.file.getvalue().rstrip().endswith("\x1b[?25h")  # the cursor is back
        return
    raise AssertionError("Ctrl-C was swallowed")
