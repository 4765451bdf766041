"""Every family: machines that can be, splits that share nothing, a hash that tells of every change."""

from itertools import pairwise
from pathlib import Path

import pytest

from reclaim_env import families, reward
from reclaim_env.families import frozen, ranges, reference, stories
from reclaim_env.families.drawing import numbers_of, uniform
from reclaim_env.families.naming import MemberName
from reclaim_env.scenario import Scenario

SEEDS = range(40)


def splits_of(name_id: str) -> tuple[str, ...]:
    family, _, variant = name_id.partition("/")
    return families.families()[family].splits(variant)


def names(name_id: str, split: str, prices_vary: bool = False) -> list[MemberName]:
    family, _, variant = name_id.partition("/")
    return [MemberName(family, variant, {}, split, prices_vary, seed) for seed in SEEDS]


@pytest.mark.parametrize("name_id", families.ids())
def test_every_member_is_a_machine_that_can_be(name_id):
    for split in splits_of(name_id):
        for prices_vary in (False, True):
            for name in names(name_id, split, prices_vary)[:10]:
                scenario = families.member(name)
                assert isinstance(scenario, Scenario)
                assert scenario.seed == name.seed
                assert min(scenario.free_pages) > 0


def anon_mib(scenario: Scenario, nid: int, size) -> float:
    """Of all processes on a node; `size` picks one of the sizes of a schedule."""
    return sum(
        scenario.members(anon.cgroup) * (size(mib for _, mib in anon.breakpoints) + anon.burst_mib)
        for anon in scenario.anon
        if anon.cpu_node == nid
    )


def room_elsewhere_mib(scenario: Scenario, nid: int) -> float:
    """In swap, and on the node's lower tier when that is emptiest."""
    room_mib = scenario.swap.mib * (1 - scenario.swap.pool_ratio) if scenario.swap else 0.0
    lower = scenario.node[nid].demotes_to
    if lower is not None:
        table = scenario.node[lower]
        room_mib += table.total_mib - table.kernel_mib - anon_mib(scenario, lower, min)
    return room_mib


@pytest.mark.parametrize("name_id", families.ids())
def test_all_that_is_asked_for_at_once_fits_except_where_the_story_is_that_it_does_not(name_id):
    """Otherwise kills that no rule can help would swamp what a rule costs."""
    for name in names(name_id, splits_of(name_id)[0]):
        scenario = families.member(name)
        for nid, node in enumerate(scenario.node):
            wanted_mib = anon_mib(scenario, nid, max) + node.kernel_mib
            fits = wanted_mib < node.total_mib + room_elsewhere_mib(scenario, nid)
            assert fits or name.family == "exhaustion", (str(name), wanted_mib)


@pytest.mark.parametrize("name_id", [i for i in families.ids() if len(splits_of(i)) > 1])
def test_splits_share_no_value_of_the_cut_parameter(name_id):
    family = families.families()[name_id.partition("/")[0]]
    drawn = {}
    for split in splits_of(name_id):
        for name in names(name_id, split):
            given = MemberName(name.family, name.variant, {family.cut: numbers_of(name)[family.cut]})
            drawn[split, name.seed] = families.split_of(given)
            assert drawn[split, name.seed] == split
    assert len(set(drawn.values())) == 3


def test_the_test_lies_between_and_beyond_the_training_set():
    splits = ranges.splits()
    (lowest, _), (_, highest) = splits.train[0], splits.train[-1]
    assert any(high <= lowest for _, high in splits.test)
    assert any(low >= highest for low, _ in splits.test)
    assert any(lowest < low < highest for low, _ in splits.test)
    bands = sorted((*splits.train, *splits.validation, *splits.test))
    assert (bands[0][0], bands[-1][1]) == (0, 1)
    assert all(high == low for (_, high), (low, _) in pairwise(bands))


def test_a_draw_is_named_by_its_parameter_alone():
    draws = [uniform("a/b", "stream_mib_per_s", seed) for seed in range(1000)]
    assert 0.45 < sum(draws) / 1000 < 0.55
    assert 0 <= min(draws) < 0.01 < 0.99 < max(draws) < 1
    assert draws[:3] != [uniform("a/c", "stream_mib_per_s", seed) for seed in range(3)]
    assert draws[7] == uniform("a/b", "stream_mib_per_s", 7) == 0.022098920451058657


def test_there_are_controls_and_families_no_training_set_contains():
    transfer = [name_id for name_id in families.ids() if splits_of(name_id) == ("transfer",)]
    assert len(transfer) >= 3
    assert "control/asleep" in families.ids()


def test_what_was_frozen_is_what_is_here():
    """If this fails, results and agents made before belong to another benchmark: say so, then --write."""
    assert frozen.digest() == frozen.stored()


def changed_range(patch):
    found = dict(ranges.families())
    family = found["dead_kswapd"]
    parameter = family.parameter | {"hot_mib": family.parameter["hot_mib"].model_copy(update={"high": 65.0})}
    found["dead_kswapd"] = family.model_copy(update={"parameter": parameter})
    patch.setattr(frozen, "families", lambda: found)


def changed_split(patch):
    splits = ranges.splits().model_copy(update={"train": ((0.1, 0.31), (0.4, 0.6), (0.7, 0.9))})
    patch.setattr(frozen, "splits", lambda: splits)


def changed_weight(patch):
    patch.setattr(reward, "WEIGHTS", reward.WEIGHTS | {"card": reward.WEIGHTS["card"] | {"stall": 0.1}})


def changed_price(patch):
    patch.setattr(reward, "OOM_KILL_S", 31.0)


def changed_story(patch):
    patch.setattr(stories.parts, "CONTAINERS", 5)


@pytest.mark.parametrize(
    "change", [changed_range, changed_split, changed_weight, changed_price, changed_story]
)
def test_any_change_shows_in_the_hash(change, monkeypatch):
    change(monkeypatch)
    assert frozen.digest() != frozen.stored()


def test_the_page_holds_the_table_of_the_files():
    page = Path(__file__).parents[2] / "docs" / "families.md"
    assert reference.table() in page.read_text()
