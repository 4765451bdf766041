"""What the text of a node says, against the record it is drawn from."""

import pytest
from rich.text import Text

from reclaim_env.render_text import LABEL_CELLS, LETTERS, WIDTH, ansi_text, node_lines
from reclaim_env.render_view import FAILURE_CELLS, machine_view
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively


def played(rule: str | None = "always", steps: int = 20) -> ReclaimVectorEnv:
    env = ReclaimVectorEnv(1, scenario=lively(), rule=rule)
    env.reset(seed=4)
    for _ in range(steps):
        env.step([[1, 0]])
    return env


def lines(env: ReclaimVectorEnv, nid: int = 0) -> dict[str, str]:
    """Of one node: its head, and what stands behind each label."""
    head, *rest = (line.plain for line in node_lines(machine_view(env, 0).nodes[nid], WIDTH))
    return {
        "head": head,
        **{line[:LABEL_CELLS].strip(): line[LABEL_CELLS:] for line in rest if line[0] != " "},
    }


def test_memory_is_stacked_to_the_whole_and_small_parts_are_seen():
    env = played()
    env.records["node"]["list_pages"][0, 0] = (1, 0)  # a page in half a GiB
    bar = lines(env)["memory"]
    assert len(bar) == WIDTH - LABEL_CELLS
    assert bar.count(LETTERS["inactive file"]) == 1 and LETTERS["active file"] not in bar
    node = env.records["node"][0, 0]
    share = node["free_pages"] / node["managed_pages"]
    assert abs(bar.count(LETTERS["free"]) / len(bar) - share) < 0.02


def test_resets_are_told_by_who_made_them_and_the_last_one():
    env = played()
    node = env.records["node"][0, 0]
    node["vmstat"]["resets"] = 0
    assert lines(env)["resets"] == "none"
    node["vmstat"]["resets"][[0, 2]] = (1, 2345)
    node["last_reset_reason"], node["last_reset_s"] = 2, env.records["time_s"][0] - 0.25
    told = "memory.high 2,345, kswapd 1; the last 0.2 s ago by memory.high"
    assert lines(env)["resets"] == told


@pytest.mark.parametrize(
    ("rule", "failures", "state", "cells"),
    [("always", 15, "asleep", 15), ("always", 16, "hopeless", 16), ("threshold?runs=4", 1, "asleep", 4),
     ("threshold?runs=4", 4, "hopeless", 16), ("never_gives_up", 900, "asleep", 1)],
)  # fmt: skip
def test_failures_are_told_against_the_rules_own_limit(rule, failures, state, cells):
    env = played(rule, steps=1)
    node = env.records["node"][0, 0]
    node["kswapd_failures"], node["kswapd_phase"] = failures, 0
    head = lines(env)["head"]
    assert f"kswapd {state}" in head
    assert head.count("#") == cells and head.count("-") == FAILURE_CELLS - cells


def test_what_few_machines_have_is_told_where_there_is_any():
    env = played()
    node = env.records["node"][0, 0]
    assert "besides" not in lines(env, nid=1)
    node["swapped_pages"], node["boost_pages"], node["vmstat"]["oomd_kill"] = 1024, 512, 2
    node["vmstat"]["pgdemote_kswapd"], node["vmstat"]["pgdemote_direct"] = 256, 256
    node["vmstat"]["oom_kill"] = 0
    told = "in swap 4 MiB, demoted 2 MiB, boosted by 2 MiB, killed by oomd 2"
    assert lines(env)["besides"] == told
    env.records["psi"]["avg10_ratio"][0] = (0.5, 0.25, 0.125, 0.0)  # io some and full, memory some and full
    assert machine_view(env, 0).pressure == "pressure 10 s, some/full: memory 12/0 %, io 50/25 %"


def test_an_agents_bits_are_told_and_a_rules_are_not():
    assert lines(played(rule=None))["agent"] == "reset"
    assert lines(played(rule=None), nid=1)["agent"] == "keep"
    assert "agent" not in lines(played())


def test_without_colour_the_text_is_the_same(monkeypatch):
    view = machine_view(played(), 0)
    coloured = ansi_text(view)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = ansi_text(view)
    assert "\x1b" in coloured and "\x1b" not in plain
    stripped = [Text.from_ansi(line).plain.rstrip() for line in coloured.splitlines()]
    assert stripped == [line.rstrip() for line in plain.splitlines()]
