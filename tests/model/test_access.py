"""What accesses do to resident pages, and the bins they lie in."""

import math

import numpy as np
import pytest

from reclaim_env.model.constants import ACTIVE, FRESH, INACTIVE, NR_BINS, REFERENCED, UNREFERENCED
from tests.model.machines import file, flag_pages, lists, one_file, plain, reader, set_flag


def touched(model, env, hits: float):
    """Every page of the file is touched `hits` times on average."""
    env.class_[0].hits_s = hits
    model.access.mark_accessed(env)
    return env


def test_the_first_read_sets_referenced_the_second_activates(model):
    env = one_file(inactive=40000)
    set_flag(env, UNREFERENCED)
    touched(model, env, 0.5)
    once, twice = 0.5 * math.exp(-0.5), 1 - 1.5 * math.exp(-0.5)
    inactive, active = lists(env)
    assert active == pytest.approx(40000 * twice, abs=2)
    assert flag_pages(env, INACTIVE)[REFERENCED] == pytest.approx(40000 * once, rel=1e-3)
    # Activation clears the flag; a third read would set it again.
    assert flag_pages(env, ACTIVE)[REFERENCED] <= 1.001 * active * (1 - math.exp(-0.5))
    assert inactive + active == 40000
    assert env.node[0].vmstat.pgactivate == env.node[0].nonresident_age == active


def test_a_referenced_page_is_activated_by_its_next_read(model):
    env = touched(model, one_file(inactive=40000), 0.5)  # boots referenced
    assert lists(env)[1] == pytest.approx(40000 * (1 - math.exp(-0.5)), abs=2)


def test_a_read_of_an_active_page_sets_referenced(model):
    env = touched(model, one_file(active=8000), 0.5)
    assert flag_pages(env, ACTIVE)[REFERENCED] == pytest.approx(8000 * (1 - math.exp(-0.5)))
    assert lists(env) == (0, 8000)


@pytest.mark.parametrize("access", ["mmap", "exec"])
def test_a_touch_through_a_mapping_moves_nothing(model, access):
    env = touched(model, one_file(access, inactive=800, active=80), 3.0)
    assert lists(env) == (800, 80)
    assert flag_pages(env, INACTIVE) == [0, 0, 800]


def test_a_file_read_in_order_is_not_read_twice_in_one_tick(model):
    env = one_file(inactive=8000)
    env.class_[0].loop = 1
    set_flag(env, UNREFERENCED)
    touched(model, env, 0.5)
    assert lists(env) == (8000, 0)
    assert flag_pages(env, INACTIVE)[REFERENCED] > 0


def test_untouched_pages_stay_as_they_are(model):
    env = one_file(inactive=800)
    before = env.copy()
    touched(model, env, 0.0)
    assert env == before


def test_an_on_off_class_switches_with_the_means_it_was_given(model):
    on_off = file(10, on_s=0.3, off_s=0.1)
    env = plain(reader=[reader(files=[on_off] * 8)])
    model.access.begin_phases(env)
    on = []
    for tick in range(4000):
        env.time_s = tick * 0.05
        model.access.switch_classes(env)
        on.append(env.class_["on"][:8].copy())
    assert np.mean(on) == pytest.approx(0.75, abs=0.02)
    switches = env.class_["nr_switches"][:8].sum()
    assert switches == pytest.approx(8 * 200 / 0.4 * 2, rel=0.06)


def test_a_class_that_is_always_on_never_switches(model):
    env = plain(reader=[reader(files=[file(10)])])
    model.access.begin_phases(env)
    env.time_s = 1e9
    model.access.switch_classes(env)
    assert (env.class_[0].on, env.class_[0].nr_switches) == (1, 0)


def test_levelling_keeps_every_page_and_the_order_of_a_list(model):
    env = one_file(inactive=800, active=0)
    set_flag(env, UNREFERENCED)
    cells = env.set_[0].cells[INACTIVE]
    cells[:] = 0
    cells[REFERENCED, 0] = 500  # new pages at the head
    cells[UNREFERENCED, 7] = 300  # old ones at the tail
    env.lruvec[0].stale[INACTIVE] = 1
    model.bins.level_bins(env, env.lruvec[0], INACTIVE)
    assert cells.sum(axis=0) == pytest.approx(100)
    assert cells[REFERENCED] == pytest.approx([100] * 5 + [0] * 3)
    assert cells[UNREFERENCED] == pytest.approx([0] * 5 + [100] * 3)


@pytest.mark.parametrize(("head", "levelled"), [(199, False), (201, True)])
def test_a_list_is_levelled_when_its_head_holds_twice_its_share(model, head, levelled):
    env = one_file(inactive=800)
    cells = env.set_[0].cells[INACTIVE]
    cells[:] = 0
    cells[UNREFERENCED] = [head, 800 - head, 0, 0, 0, 0, 0, 0]
    env.lruvec[0].stale[INACTIVE] = 1
    model.bins.level_bins(env, env.lruvec[0], INACTIVE)
    assert (cells[UNREFERENCED].max() == pytest.approx(100)) == levelled
    assert env.lruvec[0].stale[INACTIVE] == 0


def test_levelling_mixes_the_times_of_what_it_mixes(model):
    env = one_file("mmap", inactive=800)
    cells = env.set_[0].cells[INACTIVE]
    cells[:] = 0
    cells[UNREFERENCED, 0] = 450
    cells[UNREFERENCED, 7] = 350
    env.lruvec[0].inserted_s[INACTIVE] = [9, 0, 0, 0, 0, 0, 0, 1]
    env.lruvec[0].stale[INACTIVE] = 1
    model.bins.level_bins(env, env.lruvec[0], INACTIVE)
    assert env.lruvec[0].inserted_s[INACTIVE].tolist() == pytest.approx([9] * 4 + [5] + [1] * 3)


def test_pages_leave_from_the_tail_in_whole_numbers(model):
    env = plain(reader=[reader(files=[file(500), file(300)])])
    for c, bins in ((0, slice(0, 5)), (1, slice(5, 8))):
        env.set_[c].cells[INACTIVE] = 0
        env.set_[c].cells[INACTIVE, UNREFERENCED, bins] = 100
    assert model.bins.isolate_lru_folios(env, env.lruvec[0], INACTIVE, 250, 0.5) == 250
    assert [int(env.set_[c].isolated_pages) for c in (0, 1)] == [0, 250]
    model.bins.del_tail(env, env.set_[1], INACTIVE, 250)
    assert env.set_[1].cells[INACTIVE, UNREFERENCED].tolist() == pytest.approx([0] * 5 + [50, 0, 0])
    assert env.flag_pages.tolist() == pytest.approx([250, 0, 0])


def test_classes_are_taken_as_they_lie_at_the_tail_on_average(model):
    taken = []
    for i in range(50):
        env = plain(reader=[reader(files=[file(600), file(200)])])
        picked = model.bins.isolate_lru_folios(env, env.lruvec[0], INACTIVE, 10, (i + 0.5) / 50)
        assert picked == 10
        taken.append([int(env.set_[c].isolated_pages) for c in (0, 1)])
    assert np.mean(taken, axis=0).tolist() == pytest.approx([7.5, 2.5], abs=0.05)


def test_pages_put_back_join_the_head_and_date_it(model):
    env = one_file("mmap", inactive=800)
    set_flag(env, UNREFERENCED)
    env.lruvec[0].inserted_s[INACTIVE] = 1.0
    model.bins.add_head(env, env.set_[0], INACTIVE, UNREFERENCED, 100.0, 3.0)
    assert env.set_[0].cells[INACTIVE, UNREFERENCED].tolist() == pytest.approx([200] + [100] * 7)
    assert env.lruvec[0].inserted_s[INACTIVE, 0] == pytest.approx(2.0)  # half of the bin came at 1, half at 3
    model.bins.add_head(env, env.set_[0], INACTIVE, FRESH, 100.0, 9.0)
    assert env.lruvec[0].inserted_s[INACTIVE, 0] == pytest.approx(2.0)


def test_pages_still_young_since_their_fault_do_not_make_those_put_back_look_long_untouched(model):
    env = one_file("mmap", inactive=800)
    model.bins.add_head(env, env.set_[0], INACTIVE, UNREFERENCED, 150.0, 3.0)
    env.lruvec[0].list_pages[INACTIVE] += 150
    env.set_[0].resident_pages[INACTIVE] += 150
    model.bins.level_bins(env, env.lruvec[0], INACTIVE)
    put_back = [b for b in range(NR_BINS) if env.set_[0].cells[INACTIVE, UNREFERENCED, b] > 0]
    assert [env.lruvec[0].inserted_s[INACTIVE, b] for b in put_back] == pytest.approx([3.0] * len(put_back))
    assert NR_BINS == 8
