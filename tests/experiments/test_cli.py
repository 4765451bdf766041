import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.command_line import as_typed, flags
from tests.command import ROOT, command, reclaim

CANARY = "canary-5f1c"
SHORT = """
name = "short"
source = "made up"
duration_s = {duration_s}
[device]
latency_us = 80
bandwidth_mib_per_s = 1000
iops_per_s = 100_000
[[node]]
total_mib = 1024
[[anon]]
name = "hog"
cpu_node = 0
initial_mib = [900]
churn_mib_per_s = 20
[[reader]]
name = "job"
cpu_node = 0
[[reader.file]]
mib = 150
inactive_mib = [100]
"""


def scenario_file(folder: Path, duration_s: float = 1.0) -> Path:
    path = folder / "short.toml"
    path.write_text(SHORT.format(duration_s=duration_s))
    return path


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    folder = tmp_path_factory.mktemp("compared")
    scenario_file(folder)
    flags = ("--scenario", "short.toml", "--rule", "never", "--seeds", "3", "--out", "run")
    secret = {**os.environ, "SECRET_TOKEN": CANARY}
    return folder, reclaim("compare", *flags, "--json", folder=folder, env=secret)


def test_help_is_quick_and_loads_nothing_heavy(tmp_path):
    loaded = "import sys, atexit; atexit.register(lambda: sys.stderr.write(' '.join(sys.modules)))"
    start = f"{loaded}; sys.argv = ['reclaim', '--help']; sys.path.insert(0, {str(ROOT)!r})"
    code = f"{start}; from experiments.cli import main; main()"
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert time.monotonic() - began < 2  # 0.15 s on an idle machine
    assert done.returncode == 0
    assert "compare" in done.stdout
    assert not {"torch", "scipy", "matplotlib", "numba", "numpy", "pyarrow"} & set(done.stderr.split())


def test_json_is_alone_on_stdout(compared):
    _, done = compared
    assert done.returncode == 0, done.stderr
    scenario = json.loads(done.stdout)["scenarios"]["short"]
    assert sorted(scenario["rules"]) == ["always", "balanced", "never"]
    assert scenario["rules"]["never"]["workload/job/throughput_per_s"]["mean"] > 0


def test_the_run_folder_explains_itself_and_names_nobody(compared):
    folder, _ = compared
    run = folder / "run"
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert manifest["command"].startswith("reclaim compare --scenario short.toml --rule never --seeds 3")
    assert (manifest["seeds"]["number"], manifest["kernel"], manifest["weights"]) == (3, "7.0", "default")
    assert {path.name for path in run.iterdir()} == {
        "manifest.json",
        "ledger.sqlite",
        "report.html",
        "report.txt",
        "tb",
    }
    assert {path.name for path in (run / "tb" / "short").iterdir()} == {"always", "balanced", "never"}
    for path in filter(Path.is_file, run.rglob("*")):
        assert str(folder).encode() not in path.read_bytes()
        assert CANARY.encode() not in path.read_bytes()
        assert os.uname().nodename not in path.name.split(".")


def test_the_same_command_again_computes_nothing_and_says_the_same(compared):
    folder, first = compared
    again = reclaim(
        "compare",
        "--scenario",
        "short.toml",
        "--rule",
        "never",
        "--seeds",
        "3",
        "--out",
        "run",
        "--json",
        folder=folder,
    )
    assert again.stdout == first.stdout


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(tmp_path):
    scenario_file(tmp_path, duration_s=60)
    words = ("compare", "--scenario", "short.toml", "--rule", "never", "--seeds", "80", "--out", "run")
    running = subprocess.Popen(
        command(*words),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    ledger, deadline = tmp_path / "run" / "ledger.sqlite", time.monotonic() + 200
    while nr_rows(ledger) < 16 and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, b"")
    kept = nr_rows(ledger)
    assert 16 <= kept < 240
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["status"] == "interrupted"
    assert reclaim(*words, folder=tmp_path).returncode == 0
    assert nr_rows(ledger) == 240


def heed_ctrl_c() -> None:
    """What a shell runs in the background, tests and all they start, ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def nr_rows(ledger: Path) -> int:
    import sqlite3

    if not ledger.exists():
        return 0
    try:
        database = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
        return database.execute("SELECT count(*) FROM row").fetchone()[0]
    except sqlite3.OperationalError:  # just made
        return 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("comprae",), "compare"),
        (("compare", "--rule", "alwys"), "did you mean always?"),
        (("compare", "--seeds", "0"), "--seeds"),
        (("compare", "--seeds", "x"), "--seeds"),
        (("compare", "--bogus"), "--bogus"),
        (("compare", "--scenario", "incidnt"), "`incident`"),
        (("compare", "--scenario", "absent.toml"), "absent.toml"),
        (("compare", "--scenario", "incident", "--scenario", "incident"), "2 times"),
        (("compare", "--kernel", "9.9"), "7.0"),
        (("compare", "--weights", "cards"), "card"),
        (("compare", "--agent", "absent.agent"), "absent.agent"),
        (("compare", "--out", "taken"), "something else"),
        (("compare", "--out", "taken/file"), "taken/file"),
        (("scenario", "show", "\x1b[31mred"), "red"),
        (("scenario", "from-numastat", "absent.txt"), "absent.txt"),
        (("sensitivity", "nowhere"), "nowhere"),
        (("train", "--algo", "sarsa"), "sarsa"),
    ],
)
def test_a_mistake_is_one_line_and_2(tmp_path, words, said):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    done = reclaim(*words, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "taken" / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "duration_s = 3.33",
            "odd: duration_s: found 3.33, wanted a positive multiple of the seconds between decisions, 0.1",
        ),
        ("tick_ms = 200", "odd: tick_ms: found 200, wanted a divisor of the 100 ms between decisions"),
    ],
)
def test_a_clock_that_decisions_do_not_fit_is_refused_before_anything_is_made(tmp_path, line, said):
    text = SHORT.replace('"short"', '"odd"').replace("duration_s = {duration_s}", line)
    (tmp_path / "odd.toml").write_text(text)
    for name in ("compare", "train", "sensitivity"):
        words = ("odd.toml",) if name == "sensitivity" else ("--scenario", "odd.toml")
        done = reclaim(name, *words, folder=tmp_path)
        assert (done.returncode, done.stderr) == (2, f"reclaim: {said}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["odd.toml"]


def test_another_kind_of_run_in_the_folder_is_named(tmp_path):
    (tmp_path / "manifest.json").write_text('{"format": "reclaim-run-1", "kind": "train"}')
    for asked in (("compare",), ("train",), ("falsify", "--rule", "gap")):
        done = reclaim(*asked, "--out", ".", folder=tmp_path)
        assert done.returncode == 2 and "found a run of train, wanted a new folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("command", [("rules",), ("scenario", "list")])
def test_a_list_fits_80_columns(tmp_path, command):
    lines = reclaim(*command, folder=tmp_path).stdout.splitlines()
    assert len(lines) > 20 and max(map(len, lines)) <= 80 and not any("?" in line for line in lines[2:])


def test_rules_are_listed_with_their_sources(tmp_path):
    from reclaim_env.reset_rules import RULES

    text = " ".join(reclaim("rules", folder=tmp_path).stdout.split())
    assert all(rule.name in text and rule.source in text for rule in RULES.values())


def test_a_recorded_command_is_whole_in_the_repository_and_tells_no_folder_outside(tmp_path, monkeypatch):
    config = Path("experiments", "configs", "mixture.toml")
    monkeypatch.chdir(ROOT / "experiments")
    for given in (ROOT / config, Path("configs", "mixture.toml"), "configs/mixture.toml"):
        assert flags(config=[given]) == ["--config", str(config)]
    assert flags(scenario=[tmp_path / "mine.toml"]) == ["--scenario", "mine.toml"]
    names = ["mixture/two_nodes?split=train#0..3", "incident"]
    assert flags(scenario=names) == ["--scenario", names[0], "--scenario", names[1]]


def test_a_recorded_command_can_be_given_again_and_tells_no_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.safetensors").touch()
    words = ["--family", "two_nodes/one", f"--agent={tmp_path}/mine.safetensors", "--out", f"{tmp_path}/run"]
    more = [
        "--new=../somebody/x",
        "--on=trap_or_trove/memcg?p=1#3",
        "experiments/configs/mixture.toml",
        "x=1..3",
    ]
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["/usr/bin/reclaim", "evaluate", *words, *more])
    said = ["--family", "two_nodes/one", "--agent=mine.safetensors", "--out", "run", "--new=x"]
    assert shlex.split(as_typed()) == ["reclaim", "evaluate", *said, *more[1:]]


def test_bundled_scenarios_are_listed_and_shown(tmp_path):
    assert "incident" in reclaim("scenario", "list", folder=tmp_path).stdout
    assert json.loads(reclaim("scenario", "show", "incident", folder=tmp_path).stdout)["name"] == "incident"
