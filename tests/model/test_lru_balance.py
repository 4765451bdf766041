"""Which lists a pass turns to, by the kernel's formulas."""

import numpy as np
import pytest

from reclaim_env.model.constants import ACTIVE, BY_KSWAPD, BY_TASK, INACTIVE, KSWAPD
from tests.model.machines import anon, file, heats, machine, plain, reader, set_free, swapping

NODE_0, ROOT = 0, -1
FILE, ANON, EQUAL = (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)


def balance(
    model, env, priority: int = 12, root: int = ROOT, deactivate_file: bool = True, who: np.int64 = BY_TASK
):
    """(anonymous, file) parts of the shifted lists, for cgroup 0."""
    prepare = model.lru_balance.prepare_scan_control
    prepare(env, who, root, NODE_0, priority, deactivate_file, False, False)
    return model.lru_balance.scan_ratios(env, who, 0, NODE_0, root, priority)


def mixed(pages: int = 20000, free: int = 1000, **tables):
    """Files and anonymous memory in one cgroup; free + files above high (768)."""
    files = [file(8000, 4000)]
    env = swapping(pages, reader=[reader(cgroup="box", files=files)], **tables)
    set_free(env, free)
    return env


def test_without_slots_and_without_a_lower_tier_only_files_are_scanned(model):
    env = mixed(slots=100)
    assert balance(model, env)[0] > 0
    env.swap.used_pages = 100
    assert balance(model, env) == FILE
    env.swap.used_pages, env.swap.on = 0, 0
    assert balance(model, env) == FILE


def test_a_cgroups_swap_max_bounds_its_slots_through_the_tree(model):
    groups = [{"name": "top", "memory_swap_max_mib": 1}, {"name": "box", "parent": "top"}]
    env = swapping(cgroup=groups)
    assert model.swap_slots.nr_swap_pages(env, 1) == 256
    env.memcg[0].swap_pages = 256
    assert model.swap_slots.nr_swap_pages(env, 1) == 0
    assert model.swap_slots.nr_swap_pages(env, ROOT) == 16384


@pytest.mark.parametrize(("swappiness", "priority", "expected"), [(60, 0, EQUAL), (0, 0, FILE)])
def test_at_priority_0_both_types_are_scanned_alike_unless_swappiness_is_0(
    model, swappiness, priority, expected
):
    assert balance(model, mixed(swappiness=swappiness), priority) == expected


def test_a_boost_is_reclaimed_from_files_only(model):
    env = mixed()
    env.node[0].boost_left_pages = 1
    assert balance(model, env, who=BY_KSWAPD) == FILE
    assert balance(model, env, who=BY_TASK)[0] > 0


def test_with_swappiness_0_a_cgroups_limit_scans_files_only(model):
    env = mixed(swappiness=0)
    assert balance(model, env, priority=3, root=0) == FILE


def test_where_dropping_all_files_reaches_no_high_only_anonymous_memory_is_scanned(model):
    env = swapping(20000, reader=[reader(cgroup="box", files=[file(300)])])
    set_free(env, 768 - 300)
    assert balance(model, env, deactivate_file=False) == ANON
    set_free(env, 768 - 300 + 1)
    assert balance(model, env, priority=8, deactivate_file=False) == FILE  # 300 >> 8 pages to trim


def test_files_that_nobody_reads_again_are_trimmed_before_anything_is_swapped(model):
    env = mixed()
    assert balance(model, env, deactivate_file=False) == FILE
    assert balance(model, env, deactivate_file=True)[0] > 0


@pytest.mark.parametrize(
    ("swappiness", "anon_cost", "file_cost", "anon_ratio"),
    [
        (60, 0.0, 0.0, 60 / 200),
        (100, 0.0, 0.0, 1 / 2),
        (200, 7.0, 3.0, 1.0),
        (0, 7.0, 3.0, 0.0),
        (100, 300.0, 0.0, (901 / 601) / (901 / 601 + 901 / 301)),  # A' = 2a + f = 600, F' = a + 2f = 300
        (100, 0.0, 300.0, (901 / 301) / (901 / 601 + 901 / 301)),
    ],
)
def test_the_dearer_type_is_scanned_less(model, swappiness, anon_cost, file_cost, anon_ratio):
    found = model.lru_balance.cost_ratios(swappiness, anon_cost, file_cost)
    assert found == pytest.approx((anon_ratio, 1 - anon_ratio))


def test_costs_rise_by_32_an_io_and_1_a_page_put_back_up_to_the_node_and_are_halved_when_large(model):
    env = mixed(pages=20000)
    anon_row = env.lruvec[1]
    model.lru_balance.lru_note_cost(env, anon_row, 2, 5)
    model.lru_balance.lru_note_cost(env, env.lruvec[0], 0, 3)
    for holder in (env.lruvec[0], env.node[0]):
        assert (holder.anon_cost, holder.file_cost) == (69, 3)
    model.lru_balance.lru_note_cost(env, anon_row, 250, 0)  # 8069 + 3 of 32000 pages: more than a quarter
    for holder in (env.lruvec[0], env.node[0]):
        assert (holder.anon_cost, holder.file_cost) == (8069 / 2, 1.5)


def test_a_scan_costs_what_it_puts_back_and_32_for_each_page_written(model):
    env = swapping(10000, rate_per_s=1e9)
    env.class_[0].on_rate_per_s = 0.0
    model.vmscan.shrink_inactive_list(env, 1, 100, KSWAPD, 2.0)
    assert env.node[0].vmstat.pswpout == 100
    assert env.node[0].anon_cost == (100 * 32) / 2  # beyond a quarter of the lists: halved


def test_anonymous_lists_are_kept_in_balance_while_swap_is_on_even_if_full(model):
    env = swapping(3200)
    model.bins.resize(env, env.set_[0], INACTIVE, -3000)
    model.bins.resize(env, env.set_[0], ACTIVE, 3000)
    model.rstat.do_flush_stats(env)
    env.set_[0].cells[ACTIVE] = env.set_[0].cells[INACTIVE] * 3000 / 3200
    env.set_[0].cells[INACTIVE] *= 200 / 3200
    env.swap.used_pages = env.swap.total_pages
    assert model.lru_balance.can_age_anon_pages(env, 0)
    model.vmscan.age_anon_list(env, 0, KSWAPD, 2.0)
    assert env.node[0].anon_list_pages.tolist() == [232, 2968]
    env.swap.on = 0
    assert not model.lru_balance.can_age_anon_pages(env, 0)


def test_where_nothing_can_leave_anonymous_memory_has_no_lists_at_all():
    env = machine(anon=[anon(pages=5000, heat=heats(1.0))])[0]
    assert (env["nr_anon_classes"], env["nr_lruvecs"]) == (0, 1)


def test_reclaimable_is_anonymous_memory_only_while_it_can_leave(model):
    env = swapping(1000, slots=50)
    assert model.lru_balance.zone_reclaimable_pages(env, 0) == 1000
    env.swap.used_pages = 50
    assert model.lru_balance.zone_reclaimable_pages(env, 0) == 0


def test_a_machine_without_swap_ignores_swappiness(model):
    env = plain(reader=[reader(files=[file(8000, 4000)])], swappiness=200)
    assert model.lru_balance.scan_ratios(env, BY_TASK, 0, NODE_0, ROOT, 0) == FILE
