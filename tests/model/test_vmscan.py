"""One cgroup's lists under the scan: targets, fates, counters."""

import math

import numpy as np
import pytest
from scipy import stats

from reclaim_env.model.constants import (
    ACTIVE,
    BY_LIMIT,
    BY_NODE,
    FRESH,
    GLOBAL_DIRECT,
    INACTIVE,
    KSWAPD,
    MEMCG_HIGH,
    MEMCG_MAX,
    NR_BINS,
    PAGES_PER_GIB,
    PROACTIVE,
    REFERENCED,
    UNREFERENCED,
)
from tests.model.machines import (
    HOT_PER_S,
    file,
    flag_pages,
    lists,
    one_file,
    one_run,
    plain,
    reader,
    set_flag,
    set_free,
)

NOW_S = 2.0


@pytest.mark.parametrize(("gib", "ratio"), [(0, 1), (1, 3), (10, 10), (100, 31), (128, 35)])
def test_inactive_is_low_below_the_kernels_ratio_of_active_to_inactive(model, gib, ratio):
    total = gib * PAGES_PER_GIB + 60000
    enough = math.ceil(total / (ratio + 1))
    assert not model.vmscan.inactive_is_low(enough, total - enough)
    assert model.vmscan.inactive_is_low(enough - 1, total - enough + 1)


def test_a_pass_takes_a_list_shifted_by_its_priority(model):
    env = one_file(inactive=16330)
    sizes = [
        model.scan_count.nr_to_scan(env.lruvec[0], env.memcg[0], INACTIVE, priority, False, False, 1.0)
        for priority in range(12, -1, -1)
    ]
    assert sizes == [3, 7, 15, 31, 63, 127, 255, 510, 1020, 2041, 4082, 8165, 16330]


@pytest.mark.parametrize("settled", [0, 1, 3, 30])
@pytest.mark.parametrize("arrivals", [0.01, 0.7, 3.0, 20.0])
@pytest.mark.parametrize("shift", [0, 1, 3, 6])
def test_expected_shifts_is_the_mean_over_random_arrivals(model, settled, arrivals, shift):
    k = np.arange(400)
    exact = np.sum(stats.poisson.pmf(k, arrivals) * ((settled + k) >> shift))
    assert model.scan_count.expected_shifts(settled, arrivals, shift) == pytest.approx(
        exact, abs=1e-3 + 1e-3 * exact
    )


@pytest.mark.parametrize(("settled", "arrivals", "shift"), [(0, 300.0, 2), (500, 40.0, 4), (100, 2000.0, 6)])
def test_expected_shifts_of_long_lists_loses_half_a_step(model, settled, arrivals, shift):
    k = np.arange(4000)
    exact = np.sum(stats.poisson.pmf(k, arrivals) * ((settled + k) >> shift))
    assert model.scan_count.expected_shifts(settled, arrivals, shift) == pytest.approx(exact, rel=0.01)


def box_of_members(count: int, pages_each: int):
    files = [file(pages_each, size=pages_each + 10)]
    return plain(cgroup=[{"name": "box", "count": count}], reader=[reader(cgroup="box", files=files)])


def test_every_members_list_is_rounded_for_itself(model):
    env = box_of_members(100, 3)
    shifts = [
        model.scan_count.member_shift(env.lruvec[0], INACTIVE, 100, priority) for priority in (12, 2, 1, 0)
    ]
    assert shifts == [0, 0, 1, 3]


def test_a_lone_page_is_never_scanned_by_kswapd(model):
    env = box_of_members(200, 1)
    set_free(env, 700)
    assert one_run(model, env) == []
    assert env.node[0].kswapd_failures == 1
    assert model.scan_count.member_shift(env.lruvec[0], INACTIVE, 200, 0) == 1


def test_pages_that_came_since_the_last_scan_lie_at_random_on_the_members(model):
    env = box_of_members(200, 1)
    env.lruvec[0].settled_pages[INACTIVE] = 0
    k = np.arange(50)
    exact = np.sum(stats.poisson.pmf(k, 1.0) * (k >> 1))
    assert model.scan_count.member_shift(env.lruvec[0], INACTIVE, 200, 1) == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize(
    ("emin", "elow", "low_ignored", "is_target", "pages"),
    [
        (0, 0, False, False, 1000),
        (0, 500, False, False, 1000 - 1000 * 500 // 1001),
        (300, 500, True, False, 1000 - 1000 * 300 // 1001),
        (700, 500, False, False, 1000 - 1000 * 700 // 1001),
        (0, 990, False, False, 32),  # never less than a cluster
        (0, 500, False, True, 1000),  # protection is against others
    ],
)
def test_protection_shortens_a_list_before_the_shift(model, emin, elow, low_ignored, is_target, pages):
    env = one_file(inactive=1000)
    env.memcg[0].emin_pages, env.memcg[0].elow_pages = emin, elow
    for priority in (0, 1, 3):
        target = model.scan_count.nr_to_scan(
            env.lruvec[0], env.memcg[0], INACTIVE, priority, low_ignored, is_target, 1.0
        )
        assert target == pages >> priority


def test_a_protected_list_shorter_than_a_cluster_counts_as_one(model):
    env = one_file(inactive=10)
    env.memcg[0].elow_pages = 5
    targets = [
        model.scan_count.nr_to_scan(env.lruvec[0], env.memcg[0], INACTIVE, priority, False, False, 1.0)
        for priority in (0, 3, 5, 6)
    ]
    assert targets == [32, 4, 1, 0]
    assert shrink(model, env, priority=3)[0] == 4
    assert shrink(model, env)[0] == 6  # what there is


# Access, flag before, young? -> fate. FRESH is unreferenced and young since its fault.
FATES = [
    ("read", UNREFERENCED, False, "reclaimed"),
    ("read", UNREFERENCED, True, "reclaimed"),
    ("read", REFERENCED, False, "reclaimed"),
    ("read", REFERENCED, True, "reclaimed"),
    ("mmap", UNREFERENCED, False, "reclaimed"),
    ("mmap", REFERENCED, False, "reclaimed"),
    ("mmap", UNREFERENCED, True, "kept"),
    ("mmap", FRESH, False, "kept"),
    ("mmap", FRESH, True, "kept"),
    ("mmap", REFERENCED, True, "activated"),
    ("exec", UNREFERENCED, False, "reclaimed"),
    ("exec", REFERENCED, False, "reclaimed"),
    ("exec", UNREFERENCED, True, "activated"),
    ("exec", FRESH, False, "activated"),
    ("exec", REFERENCED, True, "activated"),
]


@pytest.mark.parametrize(("access", "flag", "young", "fate"), FATES)
def test_fate_of_an_examined_inactive_page(model, access, flag, young, fate):
    env = one_file(access, inactive=800, rate_per_s=HOT_PER_S if young else 0.0)
    set_flag(env, flag)
    free = env.node[0].free_pages
    scanned, reclaimed, _ = model.vmscan.shrink_inactive_list(env, 0, 80, KSWAPD, NOW_S)
    assert scanned == 80
    assert reclaimed == (80 if fate == "reclaimed" else 0)
    assert lists(env) == {"reclaimed": (720, 0), "activated": (720, 80), "kept": (800, 0)}[fate]
    assert env.node[0].free_pages == free + reclaimed
    assert env.class_[0].absent_pages == 1000 + reclaimed
    assert env.memcg[0].usage_pages == 800 - reclaimed
    assert env.node[0].vmstat.pgactivate == (80 if fate == "activated" else 0)
    if fate == "kept":  # at the head, with PG_referenced
        assert env.set_[0].cells[INACTIVE, REFERENCED, 0] == pytest.approx(80 + 100 * (flag == REFERENCED))
    if fate == "activated":
        assert flag_pages(env, ACTIVE) == pytest.approx([0, 80, 0])


def test_an_untouched_page_is_reclaimed_on_the_second_look_a_fresh_one_on_the_third(model):
    env = one_file("mmap", inactive=64)
    set_flag(env, FRESH)
    looks = [model.vmscan.shrink_inactive_list(env, 0, 64, KSWAPD, NOW_S)[1] for _ in range(2)]
    assert looks == [0, 64]


def test_half_of_the_pages_are_young_after_the_time_in_which_half_are_touched(model):
    env = one_file("mmap", inactive=40000, rate_per_s=1.0)
    set_flag(env, UNREFERENCED)
    env.lruvec[0].inserted_s[INACTIVE] = NOW_S - math.log(2)
    _, reclaimed, _ = model.vmscan.shrink_inactive_list(env, 0, 40000, KSWAPD, NOW_S)
    assert reclaimed == pytest.approx(20000, abs=5 * 100)


def test_a_touch_within_the_tlb_time_leaves_no_young_bit(model):
    env = one_file("mmap", inactive=640, rate_per_s=HOT_PER_S)
    set_flag(env, REFERENCED)
    env.lruvec[0].inserted_s[INACTIVE] = NOW_S - 0.002
    env.cost.tlb_s = 0.003
    assert model.vmscan.shrink_inactive_list(env, 0, 64, KSWAPD, NOW_S)[1] == 64
    env.cost.tlb_s = 0.001
    assert model.vmscan.shrink_inactive_list(env, 0, 64, KSWAPD, NOW_S)[1] == 0


def test_a_class_switched_off_leaves_no_young_bits_from_then_on(model):
    env = one_file("mmap", inactive=640, rate_per_s=HOT_PER_S)
    set_flag(env, REFERENCED)
    env.class_[0].on = 0
    env.class_[0].switched_s = NOW_S - 0.5
    env.lruvec[0].inserted_s[INACTIVE] = NOW_S - 0.4  # looked at after the switch
    assert model.vmscan.shrink_inactive_list(env, 0, 64, KSWAPD, NOW_S)[1] == 64
    env.lruvec[0].inserted_s[INACTIVE] = NOW_S - 0.6  # before it
    assert model.vmscan.shrink_inactive_list(env, 0, 64, KSWAPD, NOW_S)[1] == 0


ACTIVE_FATES = [
    ("read", UNREFERENCED, True, "moved"),
    ("read", REFERENCED, True, "moved"),  # PG_referenced of an active page is not consulted
    ("mmap", UNREFERENCED, True, "moved"),
    ("exec", UNREFERENCED, False, "moved"),
    ("exec", UNREFERENCED, True, "rotated"),
    ("exec", REFERENCED, True, "rotated"),
]


@pytest.mark.parametrize(("access", "flag", "young", "fate"), ACTIVE_FATES)
def test_fate_of_an_examined_active_page(model, access, flag, young, fate):
    env = one_file(access, active=800, rate_per_s=HOT_PER_S if young else 0.0)
    set_flag(env, flag, ACTIVE)
    model.vmscan.shrink_active_list(env, 0, 80, KSWAPD, NOW_S)
    moved = 80 if fate == "moved" else 0
    assert lists(env) == (moved, 800 - moved)
    assert env.node[0].vmstat.pgrefill == 80
    assert env.node[0].vmstat.pgdeactivate == moved
    assert env.node[0].nonresident_age == 80 - moved  # what goes round again counts as activated
    kept = [0.0, 0.0, 0.0]
    kept[flag] = moved
    assert flag_pages(env, INACTIVE) == pytest.approx(kept)
    assert flag_pages(env, ACTIVE)[flag] == pytest.approx(800 - moved)


def test_what_a_scan_puts_on_either_list_is_dated(model):
    """Of the active head an eighth of the list was there before, and as much again was put there."""
    env = one_file("mmap", inactive=800, active=800, rate_per_s=HOT_PER_S)
    for lst in (INACTIVE, ACTIVE):
        set_flag(env, REFERENCED, lst)
        env.lruvec[0].inserted_s[lst] = 1.0
    model.vmscan.shrink_inactive_list(env, 0, 100, KSWAPD, NOW_S)
    assert env.lruvec[0].inserted_s[:, 0].tolist() == pytest.approx([1.0, (1.0 + NOW_S) / 2])
    model.vmscan.shrink_active_list(env, 0, 100, KSWAPD, 3.0)
    assert env.lruvec[0].inserted_s[INACTIVE, 0] == pytest.approx(2.0)


@pytest.mark.parametrize("reason", [KSWAPD, GLOBAL_DIRECT, MEMCG_HIGH, MEMCG_MAX, PROACTIVE])
def test_scans_are_counted_by_who_scanned(model, reason):
    env = one_file(inactive=800)
    model.vmscan.shrink_inactive_list(env, 0, 80, reason, NOW_S)
    vmstat = env.node[0].vmstat
    kswapd, direct = (80 * (reason == who) for who in (KSWAPD, GLOBAL_DIRECT))
    assert (vmstat.pgscan_kswapd, vmstat.pgsteal_kswapd) == (kswapd, kswapd)
    assert (vmstat.pgscan_direct, vmstat.pgsteal_direct) == (direct, direct)
    assert (vmstat.pgscan_file, vmstat.pgsteal_file) == (80, 80)
    assert (env.memcg[0].pgscan, env.memcg[0].pgsteal) == (80, 80)
    # Limit reclaim leaves its shadows with the cgroup, not with the node.
    by_node, by_limit = env.set_[0].shadow_pages.sum(axis=1)
    assert (by_node, by_limit) == ((80, 0) if reason <= GLOBAL_DIRECT else (0, 80))


def test_a_scan_costs_what_its_pages_cost(model):
    for access, each_us, freed_us in (("read", 0.1, 0.6), ("mmap", 0.25, 1.3)):
        env = one_file(access, inactive=800)
        set_flag(env, UNREFERENCED)
        _, _, cost_s = model.vmscan.shrink_inactive_list(env, 0, 80, KSWAPD, NOW_S)
        assert cost_s == pytest.approx(80 * (each_us + freed_us) * 1e-6)


def shrink(model, env, low_ignored=False, root=-1, reason=GLOBAL_DIRECT, priority=0):
    env.sc.low_ignored = low_ignored
    model.reclaim.begin_lap(env, root, 1)
    return model.vmscan.shrink_one(env, 0, 0, root, priority, False, 32, 1, reason, NOW_S)


def test_a_cgroup_below_min_loses_nothing_to_others(model):
    for emin, reclaims in ((800, False), (801, False), (799, True)):
        for ignored in (False, True):
            env = one_file(inactive=800)
            env.memcg[0].emin_pages = emin
            assert (shrink(model, env, ignored)[0] > 0) == reclaims


def test_a_cgroup_below_low_is_skipped_and_remembered_until_low_is_ignored(model):
    env = one_file(inactive=800)
    env.memcg[0].elow_pages = 800
    assert shrink(model, env) == (0, 0.0)
    assert (env.memcg[0].events_low, env.sc.skipped_low) == (0, 1)
    assert shrink(model, env, low_ignored=True)[0] == 32
    assert env.memcg[0].events_low == 1


def test_a_list_that_low_shortens_is_remembered_as_skipped(model):
    cases = ((400, 0, False, 1), (400, 0, True, 0), (400, 400, False, 0), (0, 0, False, 0))
    for elow, emin, ignored, remembered in cases:
        env = one_file(inactive=800)
        env.memcg[0].elow_pages, env.memcg[0].emin_pages = elow, emin
        shrink(model, env, low_ignored=ignored)
        assert env.sc.skipped_low == remembered


def test_protection_does_not_hold_against_the_cgroups_own_limit(model):
    env = one_file(inactive=800)
    env.memcg[0].emin_pages = env.memcg[0].elow_pages = 800
    assert shrink(model, env, root=0, reason=MEMCG_HIGH)[0] == 32


def test_a_limited_scan_stops_at_its_target_but_not_direct_reclaim_at_first_priority(model):
    assert shrink(model, one_file(inactive=800))[0] == 32
    long = one_file(inactive=50000)
    long.lruvec[0].list_pages[INACTIVE] = 64 * 4096  # its shift at priority 12 is 64
    assert shrink(model, long, priority=12)[0] == 64


@pytest.mark.parametrize("access", ["read", "mmap"])
def test_a_limited_scan_that_strode_past_young_pages_still_stops_at_its_target(model, access):
    files = [file(1024, access="mmap"), file(1024, access=access)]
    env = plain(cgroup=[{"name": "box"}], reader=[reader(cgroup="box", files=files)])
    young, cold = (env.set_[i].cells[INACTIVE] for i in (0, 1))
    young[:] = cold[:] = 0.0
    young[FRESH, NR_BINS // 2 :] = cold[UNREFERENCED, : NR_BINS // 2] = 2048 / NR_BINS
    assert 32 <= shrink(model, env)[0] < 64


@pytest.mark.parametrize(
    ("inserted_s", "touched_s"), [(0.5, 0.5 + 0.02), (2.0, 0.02), (5.01, 0.01)], ids=["before", "in", "after"]
)
def test_a_silence_that_is_over_counts_as_untouched(model, inserted_s, touched_s):
    env = one_file("mmap", inactive=10, rate_per_s=10.0)
    class_ = env.class_[0]
    class_.silent_s, class_.switched_s = 1.0, 5.0
    assert model.folio_fate.young_ratio(env, class_, inserted_s, 5.02) == pytest.approx(
        1 - math.exp(-10 * touched_s)
    )
    class_.on, class_.silent_s, class_.switched_s = 0, 5.01, 5.01
    silent = model.folio_fate.young_ratio(env, class_, inserted_s, 7.0)
    assert silent == pytest.approx(1 - math.exp(-10 * max(5.01 - inserted_s, 0.0)))


def test_eviction_leaves_a_shadow_and_moves_the_clocks(model):
    env = one_file(inactive=800)
    model.folio_fate.evict(env, env.set_[0], 50, BY_NODE)
    assert lists(env) == (750, 0)
    assert env.set_[0].shadow_pages[BY_NODE].sum() == 50
    assert (env.node[0].nonresident_age, env.lruvec[0].nonresident_age) == (50, 0)  # who reclaims, ages
    assert env.node[0].vmstat.pgfree == 50
    model.folio_fate.evict(env, env.set_[0], 50, BY_LIMIT)
    assert (env.node[0].nonresident_age, env.lruvec[0].nonresident_age) == (100, 50)


def test_eviction_uncharges_every_ancestor(model):
    cgroups = [{"name": "top"}, {"name": "leaf", "parent": "top"}]
    env = plain(cgroup=cgroups, reader=[reader(cgroup="leaf", files=[file(800)])])
    model.folio_fate.evict(env, env.set_[0], 50, BY_NODE)
    assert [memcg.usage_pages for memcg in env.memcg[:2]] == [750, 750]


@pytest.mark.parametrize("lst", [INACTIVE, ACTIVE])
def test_of_two_classes_alike_each_is_as_likely_to_give_the_one_page_that_is_scanned(model, lst):
    taken = np.zeros(2)
    for tick in range(200):
        files = [file(*((400, 0) if lst == INACTIVE else (0, 400))) for _ in range(2)]
        env = plain(cgroup=[{"name": "box"}], reader=[reader(cgroup="box", files=files)])
        env.tick = tick
        if lst == INACTIVE:
            model.vmscan.shrink_inactive_list(env, 0, 1, KSWAPD, NOW_S)
        else:
            model.vmscan.shrink_active_list(env, 0, 1, KSWAPD, NOW_S)
        taken += [400 - env.set_[i].resident_pages[lst] for i in range(2)]
    assert taken.sum() == 200
    assert 60 < taken[0] < 140
