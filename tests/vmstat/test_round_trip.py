"""What the simulator writes is imported as what it measured, every counter to the bit."""

import re
from functools import cache
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from experiments.contender import of_rule
from experiments.evaluate import FIRST_SEED, evaluate
from experiments.identity import Setting
from experiments.metrics import NODE_METRICS, describe
from experiments.vmstat import counters
from experiments.vmstat.exporting import SNAPSHOTS_NAME, export, sample
from experiments.vmstat.lines import Line
from experiments.vmstat.measuring import Measured, measure
from experiments.vmstat.procfs import parse_zoneinfo
from experiments.vmstat.snapshots import TRACE_NAME, Recording
from experiments.vmstat.tracepoints import read_trace
from reclaim_env.boot import boot
from reclaim_env.reset_rules import KERNEL_RULES
from reclaim_env.scenario import Scenario, load
from tests.toys import lively, plain

TICK_S = 0.01
CASES = {
    "lively": lively,
    "one node": lambda: plain(1),
    "three nodes": lambda: plain(3),
    "dead_kswapd": lambda: load("dead_kswapd").model_copy(update={"duration_s": 6.0}),
    "swap_full": lambda: load("swap_full").model_copy(update={"duration_s": 14.0}),
    "tier": lambda: load("tier").model_copy(update={"duration_s": 24.0}),
}
MOMENTS = ("first_fruitless_s", "first_hopeless_s", "last_reset_s")
NEVER_TOLD = ("kswapd_cpu_s", "stall_s", "false_dead_s", "bystander_refault_mib", "cost_s", "running_at_end")


def recorded(
    scenario: Scenario, rule: str, folder: Path, every_ms: int = 100, trace: bool = True
) -> Measured:
    export(scenario, rule, "7.0", FIRST_SEED, every_ms, folder)
    recording = Recording(folder)
    if not trace:
        (folder / TRACE_NAME).unlink()
        return measure(Recording(folder).samples(), None)
    assert recording.trace is not None
    return measure(recording.samples(), read_trace(recording.trace))


@cache
def measured_directly(case: str, rule: str):
    return evaluate(CASES[case](), of_rule(rule), [FIRST_SEED], Setting())


@pytest.mark.parametrize("rule", [*KERNEL_RULES, "timer?wait_s=0.5"])
@pytest.mark.parametrize("case", CASES)
def test_an_imported_episode_is_the_episode(case, rule, tmp_path):
    found = recorded(CASES[case](), rule, tmp_path)
    episode = measured_directly(case, rule)
    told = {name: value for name, value in found.metrics.items() if not isnan(value)}
    changes = 1 + 2 * sum(one.nr_resets for one in found.failures.values())
    for name, value in told.items():
        last = name.rpartition("/")[2]
        if name.startswith("vmstat/"):
            continue
        wanted = float(episode.metrics[name][0])
        if last == "hopeless_s":  # the model books whole ticks, the trace knows the moment
            assert value == pytest.approx(wanted, abs=TICK_S * changes), name
        elif last == "last_reset_s":
            assert value == pytest.approx(wanted, abs=TICK_S), name
        elif name.startswith("pressure/"):  # printed in microseconds
            assert value == pytest.approx(wanted, abs=1e-6), name
        elif last in MOMENTS:
            assert value == pytest.approx(wanted, abs=1e-9), name
        else:
            assert value == wanted, name
    assert found.nr_disagreements == 0


@pytest.mark.parametrize("case", CASES)
def test_the_series_are_those_of_the_episode(case, tmp_path):
    found, wanted = (
        recorded(CASES[case](), "always", tmp_path).series,
        measured_directly(case, "always").series,
    )
    assert found is not None
    assert found.time_s == pytest.approx(wanted.time_s)
    for name in ("min_wmark_pages", "low_wmark_pages", "high_wmark_pages", "free_pages"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    for name in ("workingset_refault_file", "pgscan_kswapd", "pgsteal_kswapd"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    known = ~np.isnan(found.kswapd_failures)
    assert np.array_equal(found.kswapd_failures[known], wanted.kswapd_failures[known])


def test_without_a_trace_a_sample_each_tick_tells_hopeless_time_as_the_model_books_it(tmp_path):
    found = recorded(lively(), "balanced", tmp_path, every_ms=10, trace=False)
    wanted = measured_directly("lively", "balanced").metrics
    for nid in range(2):
        assert found.metrics[f"node{nid}/hopeless_s"] == pytest.approx(wanted[f"node{nid}/hopeless_s"][0])
    assert isnan(found.metrics["resets"])


def test_every_counter_a_kernel_has_is_carried_and_what_it_has_not_is_null(tmp_path):
    told = recorded(lively(), "always", tmp_path).metrics
    for name in counters.KNOWN - {"oom_kill"}:
        assert not isnan(told[name]), name
    for name in (
        "oom_kills",
        "resets",
        "kswapd_fruitless_runs",
        "hopeless_s",
        "node0/pgscan_direct",
        "node1/numa_hit",
    ):
        assert not isnan(told[name]), name
    for name in NEVER_TOLD:
        assert all(isnan(value) for full, value in told.items() if full.rpartition("/")[2] == name), name


def test_names_and_order_are_those_of_the_ledger(tmp_path):
    told = recorded(lively(), "always", tmp_path).metrics
    ledger = [
        name
        for name in measured_directly("lively", "always").metrics
        if not name.startswith(("cgroup/", "workload/"))
    ]
    assert [name for name in told if not name.startswith("vmstat/")] == ledger
    assert all(describe(name).unit for name in told)


def test_the_only_node_is_the_machine(tmp_path):
    told = recorded(plain(1), "always", tmp_path).metrics
    for metric in NODE_METRICS:
        assert told[metric.name] == pytest.approx(told[f"node0/{metric.name}"], nan_ok=True)


@pytest.mark.parametrize("case", ["lively", "tier"])
def test_a_sample_shows_the_lists_and_marks_of_the_machine(case):
    env = boot(CASES[case]())[0]
    lines = [Line(text, "", 0) for text in sample(env, 10).partition("zoneinfo <==\n")[2].splitlines()]
    for nid, node in parse_zoneinfo(lines).items():
        record = env["node"][nid]
        stats = {name: reading.value for name, reading in node.stats.items()}
        assert (stats["nr_inactive_file"], stats["nr_active_file"]) == tuple(record["list_pages"])
        if case == "tier":
            assert (stats["nr_inactive_anon"], stats["nr_active_anon"]) == tuple(record["anon_list_pages"])
        used = stats["nr_file_pages"] + stats["nr_anon_pages"] + record["kernel_pages"]
        assert node.zones["free"].value + used == node.zones["managed"].value == record["managed_pages"]
        assert node.zones["promo"].value == record["promo_wmark_pages"]


def test_the_lines_of_all_nodes_are_written_by_time(tmp_path):
    export(plain(3), "always", "7.0", FIRST_SEED, 100, tmp_path)
    times = re.findall(r"(\d+\.\d{9}):", (tmp_path / TRACE_NAME).read_text())
    assert times and times == sorted(times, key=float)


def test_equal_episodes_are_written_to_equal_bytes(tmp_path):
    for name in ("a", "b"):
        export(lively(), "random", "6.12", 3, 50, tmp_path / name)
    for name in (SNAPSHOTS_NAME, TRACE_NAME):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_episode_is_not_written_among_other_files(tmp_path):
    (tmp_path / "notes").touch()
    with pytest.raises(ValueError, match=r"--out: .*: found files, wanted a new folder"):
        export(lively(), "always", "7.0", 0, 100, tmp_path)


@pytest.mark.parametrize(
    ("every_ms", "says"),
    [
        (15, "--every-ms: found 15, wanted a positive multiple of"),
        (30, "found 4000, wanted a positive multiple"),
    ],
)
def test_samples_lie_on_the_clock_of_uptime_and_of_the_episode(every_ms, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        export(lively(), "always", "7.0", 0, every_ms, tmp_path)
