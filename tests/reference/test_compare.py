"""What `reclaim validate reference` makes of two series."""

import json

import numpy as np
import pytest

from experiments.reference_check import table, variants
from experiments.reference_check.compare import Comparison, compare
from experiments.reference_check.kept import Kept
from experiments.reference_check.rows import cost_rows, rows_of
from experiments.reference_check.sides import (
    ANON_LEVELS,
    FLOWS,
    LEVELS,
    both,
    model_file_names,
    reference_file_names,
    trace_of,
)
from reclaim_env.boot import boot as boot_model
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.reference.boot import boot
from reclaim_env.reference.names import BURST, FLUSH
from reclaim_env.scenario import bundled_ids
from tests.reference.machines import scenario as toy

NR_SAMPLES = 40
BURSTS = {"cpu_node": 0, "burst_mib": 1, "burst_every_ms": 500, "burst_hold_ms": 50}


def windows(seeds: int = 8, **changed: np.ndarray) -> dict[str, np.ndarray]:
    found = {name: np.full((seeds, NR_SAMPLES), 100.0) for name in LEVELS}
    found |= {name: np.zeros((seeds, NR_SAMPLES)) for name in ANON_LEVELS}
    found |= {name: np.tile(np.arange(1, NR_SAMPLES + 1) * 10.0, (seeds, 1)) for name in (*FLOWS, "cost_s")}
    found["evicted/web.0"] = found["pgsteal_file"]
    moments = ("first_fruitless_s/node0", "first_hopeless_s/node0", "first_revived_s/node0")
    found |= {name: np.linspace(1, 2, seeds)[:, None] for name in moments}
    return found | changed


def test_anonymous_lists_have_a_row_where_there_are_any():
    listed = windows(active_anon_pages=np.full((8, NR_SAMPLES), 50.0))
    assert "active_anon_pages" in {found.quantity for found in rows_of("toy", listed, windows())}
    assert "active_anon_pages" not in {found.quantity for found in rows_of("toy", windows(), windows())}


def row(name: str, **changed: np.ndarray):
    ours = {key.replace("_node0", "/node0"): value for key, value in changed.items()}
    return next(row for row in rows_of("toy", windows(8, **ours), windows()) if row.quantity == name)


@pytest.mark.parametrize(
    ("flow", "within"), [([102.0] * 4, True), ([104.0] * 4, False), ([88, 112, 100, 100], False)]
)
def test_a_flow_is_held_to_its_mean_and_to_every_second(flow, within):
    grown = np.cumsum(np.repeat(np.array(flow, float) / 10, 10))
    assert row("pgsteal_file", pgsteal_file=np.tile(grown, (8, 1))).within is within


def test_pages_are_held_to_every_tenth_of_a_second():
    pages = np.full((8, NR_SAMPLES), 100.0)
    pages[:, 7] = 111.0
    found = row("free_pages", free_pages=pages)
    assert (found.within, found.worst_error) == (False, pytest.approx(0.11))
    assert found.mean_error == pytest.approx(0.11 / NR_SAMPLES)


@pytest.mark.parametrize(("spread", "missed"), [(1.0, True), (40.0, False)])
def test_a_miss_is_told_from_one_that_the_spread_of_the_seeds_explains(spread, missed):
    """Of the mean, and of a single window."""
    away = spread * np.linspace(-1, 1, 8)[:, None]
    flow = np.cumsum(np.full((8, NR_SAMPLES), 11.0) + away / 10, axis=1)
    found = row("pgsteal_file", pgsteal_file=flow)
    assert (found.within, found.missed) == (False, missed)
    assert found.mean_error == pytest.approx(0.1)
    pages = np.full((8, NR_SAMPLES), 100.0)
    pages[:, 7] = 115.0 + away[:, 0]
    found = row("free_pages", free_pages=pages)
    assert (found.within, found.missed) == (False, missed)


def test_moments_that_never_come_are_of_another_distribution_and_their_share_outside_the_interval():
    assert row("first_hopeless_s/node0").within and row("dies/node0").within
    never = np.full((8, 1), -1.0)
    found = row("first_hopeless_s/node0", first_hopeless_s_node0=never)
    assert (found.within, found.mean_error, found.model, found.reference) == (False, 1.0, 0.0, 1.0)
    found = row("dies/node0", first_hopeless_s_node0=never)
    assert (found.within, found.mean_error) == (False, -1.0)


def test_a_moment_that_never_came_on_either_side_has_no_row():
    never = {"first_revived_s/node0": np.full((8, 1), -1.0)}
    quantities = {row.quantity for row in rows_of("toy", windows(8, **never), windows(8, **never))}
    assert "first_revived_s/node0" not in quantities and "first_hopeless_s/node0" in quantities


def test_what_is_next_to_nothing_on_both_sides_has_no_row():
    nothing = np.zeros((8, NR_SAMPLES))
    found = rows_of("toy", windows(allocstall=nothing), windows(allocstall=nothing))
    assert "allocstall" not in {row.quantity for row in found}


def test_what_the_reference_has_nothing_of_is_held_to_the_least_that_is_judged():
    some, nothing = windows(), windows(allocstall=np.zeros((8, NR_SAMPLES)))
    found = next(row for row in rows_of("toy", some, nothing) if row.quantity == "allocstall")
    assert (found.within, found.reference) == (False, 0.0)
    assert found.mean_error == pytest.approx(10.0 / (30.0 / NR_SAMPLES))


def costing(*cost_s: float) -> dict[str, np.ndarray]:
    return windows(len(cost_s), cost_s=np.array(cost_s)[:, None])


@pytest.mark.parametrize(("ours", "within"), [((3, 4, 5), True), ((4, 5, 6), False), ((-3, -4, -5), False)])
def test_a_difference_of_cost_is_held_to_the_reference_paired_by_seed(ours, within):
    spread = np.array([10.0, 50.0, 90.0])  # of the seeds, the same under both rules
    exact = {"always": costing(*spread), "balanced": costing(*(spread + np.array([3.1, 4.1, 5.1])))}
    fast = {"always": costing(*spread), "balanced": costing(*(spread + np.array(ours)))}
    (found,) = cost_rows({rule: (fast[rule], exact[rule]) for rule in exact}, "toy")
    assert (found.quantity, found.within) == ("cost_s balanced - always", within)
    assert found.reference == pytest.approx(4.1)


def test_a_difference_of_cost_the_reference_is_not_sure_of_is_not_held_against_the_model():
    unsure = {"always": costing(1, 2, 3), "balanced": costing(3, 2, 1)}
    assert cost_rows({rule: (one, one) for rule, one in unsure.items()}, "toy") == []


def test_the_table_keeps_to_eighty_columns_and_the_json_to_numbers():
    flow = np.full((8, NR_SAMPLES), 1e-3)
    rows = tuple(rows_of("a" * 90, windows(), windows(pgpgin=flow)))
    found = Comparison(rows, 8, draw_seed=7)
    assert max(map(len, table.render(found).splitlines())) <= 80
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["draw"] == 7


def test_the_standard_variants_are_as_many_as_are_asked_and_named_apart():
    chosen = variants.standard(draw_seed=3)
    labels = [variant.label for variant in chosen]
    assert len(labels) == len(set(labels)) >= 60
    assert sum(label.startswith("drawn-") for label in labels) == variants.NR_DRAWN
    assert "drawn-3" in {variant.scenario.name for variant in chosen}


def test_a_standard_variant_is_asked_for_by_its_name_and_others_run_under_two_rules():
    chosen = variants.named(["swap-zram", "boosted", "incident"], 1)
    labels = ["swap-zram (always)", "boosted (always)", "boosted (balanced)"]
    assert [variant.label for variant in chosen] == [*labels, "incident (always)", "incident (balanced)"]


def test_no_standard_variant_hides_a_bundled_scenario():
    assert not {variant.scenario.name for variant in variants.standard(1)} & set(bundled_ids())


def test_both_sides_get_one_trace():
    scenario = toy(
        cgroup=[{"name": "box", "count": 3}],
        anon=[{"name": "busy", "cgroup": "box", **BURSTS}],
        atomic=[{"name": "net", "cpu_node": 0, "burst_kib": 64, "every_ms": 80, "hold_ms": 10}],
        node=[{"total_mib": 256, "boosts_per_s": 5}],
    )
    records = boot_model(scenario, "6.12")
    records["seed"] = 5
    start_episode(records[0])
    env = records[0]
    m = boot(scenario, seed=99, trace=trace_of(scenario, records))
    phases_s = env["workload"]["phase_s"][:2]
    assert phases_s.min() > 0 and phases_s[0] != phases_s[1]
    assert m.instance["phase_s"].tolist() == [phases_s[0]] * 3 + [phases_s[1]]
    (first_flush_s,) = m.event["at_s"][m.event["kind"] == FLUSH]
    assert first_flush_s == env["flush_phase_s"]
    (burst_s,) = m.event["at_s"][m.event["kind"] == BURST]
    assert burst_s == pytest.approx(0.08 - phases_s[1])
    boosts_s = []
    while env["time_s"] < 3.0:
        before, now_s = env["node"]["vmstat"]["boosts"][0], float(env["time_s"])
        step_rows(records, np.int64(1))
        boosts_s += [now_s] * int(env["node"]["vmstat"]["boosts"][0] - before)
    assert len(boosts_s) > 5
    assert m.steal["at_s"][: len(boosts_s)] == pytest.approx(boosts_s, abs=0.010)  # a tick late at most


def test_a_files_pages_are_compared_with_the_same_files_whatever_order_the_records_are_in():
    """The fast model keeps classes by cgroup, the reference as the scenario names them."""
    file = {"mib": 1, "inactive_mib": [1]}
    in_box = {
        "name": "web",
        "cgroup": "box",
        "cpu_node": 0,
        "ops_per_s": 1,
        "file": [file, {**file, "mib": 2}],
    }
    scenario = toy(
        cgroup=[{"name": "box", "count": 2}],
        reader=[in_box, {**in_box, "name": "free", "cgroup": "", "file": [{**file, "mib": 3}]}],
        stream=[{"name": "log", "cgroup": "box", "cpu_node": 0, "mib_per_s": 1}],
    )
    env, m = boot_model(scenario, "6.12")[0], boot(scenario)
    of_model, of_reference = model_file_names(scenario, env), reference_file_names(scenario, m)
    members = {"web.0": 2, "web.1": 2, "free.0": 1, "log": 2}
    assert sorted(of_model) == sorted(members)
    assert sorted(of_reference) == sorted(name for name, copies in members.items() for _ in range(copies))
    pages = {"web.0": 2 * 256, "web.1": 4 * 256, "free.0": 3 * 256}
    for name, expected in pages.items():
        assert env["class_"]["pages"][of_model.index(name)] == expected
        copies = [row["pages"] for row, n in zip(m.class_, of_reference, strict=True) if n == name]
        assert sum(copies) == expected
    assert env["class_"]["one_touch"][of_model.index("log")]


@pytest.mark.slow
def test_what_is_kept_is_not_simulated_again_and_gives_the_same_rows(tmp_path, monkeypatch):
    chosen = [variants.standard(1)[-1]]
    kept = Kept(tmp_path)
    first = compare(chosen, 2, lambda words, done: None, kept)
    monkeypatch.setattr(Kept, "put", lambda *_: pytest.fail("simulated again"))
    assert compare(chosen, 2, lambda words, done: None, kept) == first


def test_what_a_slow_stream_reads_does_not_feed_every_run_of_a_spinning_kswapd():
    """Four calls of its cgroup a second clear the count; 16 runs without a page take 6 ms."""
    slow = next(variant for variant in variants.standard(0) if variant.label == "revived-0_1 (always)")
    short = slow.scenario.model_copy(update={"duration_s": 0.5})
    for side in both(variants.Variant(short, "always"), 0):
        assert 0 < side["first_fruitless_s/node0"][0] < side["first_hopeless_s/node0"][0] < 0.5
