"""Pressure by hand: what counts as stall, how it is shared out over CPUs, and the averages."""

import math

import pytest

from reclaim_env.model.constants import IO_FULL, IO_SOME, MEMORY_FULL, MEMORY_SOME
from tests.model.machines import anon, file, machine, plain, reader
from tests.model.plain import as_records

TICK_S = 0.01


def pressure(model, nr_cpus: float = 8.0, **seconds: float) -> list[float]:
    """(memory some, memory full, io some, io full) as shares of a tick in which threads spent `seconds`."""
    env = plain()
    spent = dict.fromkeys(("reclaiming_s", "slept_s", "read_s", "workingset_s", "working_s"), 0.0) | seconds
    model.psi.record(env.psi, TICK_S, nr_cpus, *spent.values())
    shares = env.psi.total_s / TICK_S
    return [float(shares[i]) for i in (MEMORY_SOME, MEMORY_FULL, IO_SOME, IO_FULL)]


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ({}, [0, 0, 0, 0]),
        ({"working_s": 0.04}, [0, 0, 0, 0]),
        ({"slept_s": 0.01}, [1, 1, 0, 0]),  # nobody else there
        ({"slept_s": 0.01, "working_s": 0.03}, [0.25, 0.25, 0, 0]),
        ({"read_s": 0.02, "working_s": 0.02}, [0, 0, 0.5, 0.5]),
        ({"read_s": 0.02, "workingset_s": 0.02, "working_s": 0.02}, [0.5, 0.5, 0.5, 0.5]),
        ({"slept_s": 0.01, "read_s": 0.01, "working_s": 0.02}, [0.25, 0.25, 0.25, 0.25]),
        ({"reclaiming_s": 0.02, "read_s": 0.01}, [2 / 3, 2 / 3, 1 / 3, 1 / 3]),
    ],
)
def test_some_is_waiters_over_threads_and_full_what_nobody_works_in(model, seconds, wanted):
    assert pressure(model, **seconds) == pytest.approx(wanted)


def test_one_spinning_kswapd_on_64_busy_cpus_is_a_64th(model):
    found = pressure(model, nr_cpus=64.0, reclaiming_s=TICK_S, working_s=63 * TICK_S)
    assert found == pytest.approx([1 / 64, 1 / 64, 0, 0])


def test_more_workers_than_cpus_leave_no_pressure_full(model):
    memory_some, memory_full, _, _ = pressure(model, nr_cpus=4.0, slept_s=0.02, working_s=0.06)
    assert memory_some == pytest.approx(0.5)
    assert memory_full == 0.0


def test_io_is_full_only_where_no_cpu_runs_anybody_reclaimers_too(model):
    found = pressure(model, nr_cpus=4.0, reclaiming_s=0.03, read_s=0.03)
    assert found == pytest.approx([0.75, 0.75, 0.75, 0.25])


def test_averages_take_in_the_share_of_every_two_seconds(model):
    psi = plain().psi
    psi.next_update_s = 2.0
    for i in range(1, 11):
        psi.total_s[MEMORY_SOME] += 0.5
        model.psi.psi_avgs_work(psi, float(i))
    assert psi.avg10_ratio[MEMORY_SOME] == pytest.approx(0.5 * (1 - math.exp(-1)), rel=2e-3)
    assert psi.avg60_ratio[MEMORY_SOME] == pytest.approx(0.5 * (1 - math.exp(-1 / 6)), rel=2e-3)
    assert psi.avg10_ratio[IO_SOME] == 0.0


def test_a_machine_that_refaults_its_working_set_shows_memory_and_io_pressure(model):
    """A quiet one shows none, and full never exceeds some."""
    found = {}
    for name, free in (("quiet", 20_000), ("pressed", 500)):
        hog = anon(pages=65_536 - free - 9000, churn_mib_per_s=100)
        job = reader(files=[file(4000, 5000, size=9000, access="mmap")], threads=4)
        machines = machine("always", anon=[hog], reader=[job])
        model.tick.start_episode(as_records(machines)[0])
        model.tick.step_rows(as_records(machines), 20)
        found[name] = machines["psi"]["total_s"][0]
    vmstat = machines["node"]["vmstat"][0, 0]
    assert 0 < vmstat["workingset_wait_s"] <= vmstat["refault_wait_s"] <= vmstat["read_wait_s"]
    assert found["quiet"].tolist() == [0, 0, 0, 0]
    some, full = found["pressed"][[MEMORY_SOME, IO_SOME]], found["pressed"][[MEMORY_FULL, IO_FULL]]
    assert (some > 0).all() and (full <= some).all() and (some <= 0.2 + 1e-9).all()
