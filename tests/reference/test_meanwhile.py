"""What readers do while a task reclaims beside them."""

import math

import pytest

from reclaim_env.reference.boot import boot
from reclaim_env.reference.direct import try_to_free_pages
from reclaim_env.reference.names import ALL_NODES, NOWHERE, PROACTIVE
from reclaim_env.reference.reader import read_meanwhile
from reclaim_env.reference.records import Machine

from .machines import PAGES_PER_MIB, audit, scenario

BOX, RESIDENT_PAGES, OP_S, PAGES_PER_OP = 1, 256, 2e-6, 64


def two_threads(absent_pages: int = 0) -> Machine:
    """A mapped file, its pages young on the inactive list, whose two threads run without a pause."""
    file = {
        "mib": (RESIDENT_PAGES + absent_pages) / PAGES_PER_MIB,
        "access": "mmap",
        "inactive_mib": [RESIDENT_PAGES / PAGES_PER_MIB],
    }
    reader = {"name": "r", "cgroup": "box", "cpu_node": 0, "threads": 2, "op_cpu_us": OP_S * 1e6}
    return boot(
        scenario(cgroup=[{"name": "box"}], reader=[{**reader, "pages_per_op": PAGES_PER_OP, "file": [file]}])
    )


def reclaim_all(m: Machine) -> tuple[int, float]:
    return try_to_free_pages(m, 0, 0, ALL_NODES, BOX, RESIDENT_PAGES, PROACTIVE)


def test_pages_of_threads_that_wait_for_reads_grow_no_younger_while_a_task_reclaims():
    m = two_threads()
    m.thread["at_s"] = math.inf
    assert reclaim_all(m)[0] > 0.9 * RESIDENT_PAGES
    assert m.class_[0]["touches"] == m.class_[0]["activated"] == 0
    audit(m)


def test_a_task_over_memory_high_touches_nothing_before_it_has_reclaimed_itself():
    m = two_threads()
    m.thread["over_high"] = 64
    reclaim_all(m)
    assert m.class_[0]["touches"] == m.class_[0]["activated"] == 0


def test_pages_of_threads_that_run_on_are_young_again_before_reclaim_comes_back():
    m = two_threads()
    freed, spent_s = reclaim_all(m)
    assert freed == 0
    assert m.class_[0]["touches"] == pytest.approx(2 * PAGES_PER_OP * spent_s / OP_S, rel=0.1)


def test_a_thread_that_runs_on_stops_at_its_first_miss():
    m = two_threads(absent_pages=RESIDENT_PAGES)
    absent = set(m.absent[: m.class_[0]["absent"]].tolist())
    freed, _ = reclaim_all(m)
    assert freed > RESIDENT_PAGES / 2
    assert m.class_[0]["touches"] < 32  # two of them, at even chances
    assert set(m.thread["missed_page"].tolist()) <= absent
    assert (m.thread["missed_page"] != NOWHERE).all()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_was_done_meanwhile_is_not_done_again():
    from reclaim_env.reference.boot import run

    m = two_threads()
    for until_s in (0.001, 0.002, 0.003):
        run(m, until_s)
        m.system[0]["spent_s"] = 0.0005
        read_meanwhile(m, BOX)
        m.system[0]["spent_s"] = 0.0
    run(m, 0.004)
    assert m.instance[0]["ops"] == pytest.approx(2 * 0.004 / OP_S, abs=2)
