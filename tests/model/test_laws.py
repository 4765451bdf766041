"""Laws of any machine, over machines and stories drawn at random."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reclaim_env.action import install_rule
from reclaim_env.boot import boot
from reclaim_env.model import layout
from reclaim_env.model.constants import SLEEP
from reclaim_env.model.tick import start_episode, step_rows
from reclaim_env.presets import KERNELS
from reclaim_env.reset_rules import RULES
from reclaim_env.scenario import load
from reclaim_env.vector import ReclaimVectorEnv
from tests.model.audit import audit, rows
from tests.model.machines import DEVICE, NODE, anon, file, forget_rule, machine, reader
from tests.model.stories import stories
from tests.toys import lively

TICK_S = 0.01
lawful = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def advance(machines: np.ndarray, nr_ticks: int) -> np.ndarray:
    step_rows(machines, np.int64(nr_ticks))
    return machines


def started(machines: np.ndarray) -> np.ndarray:
    for i in range(len(machines)):
        start_episode(machines[i])
    return machines


@lawful
@given(
    story=stories(),
    rule=st.sampled_from(sorted(RULES)),
    kernel=st.sampled_from(sorted(KERNELS)),
    seed=st.integers(0, 2**32),
)
def test_no_page_is_lost_or_counted_twice_and_no_counter_lies(story, rule, kernel, seed):
    now = started(machine(rule, seed, kernel, **story))
    audit(now)
    for _ in range(16):
        before = now.copy()
        advance(now, 5)
        audit(now, before)


# What one row may depend on ------------------------------------------------------------------------------


def batch(rule: str, seeds: list[int]) -> np.ndarray:
    machines = np.repeat(boot(lively(), "7.0"), len(seeds))
    install_rule(machines, rule)
    machines["seed"] = seeds
    return started(machines)


@pytest.mark.parametrize("rule", ["always", "random"])
def test_a_row_is_the_same_alone_and_in_any_place_of_any_batch(rule):
    many = advance(batch(rule, [5, 3, 9, 3]), 100)
    alone = advance(batch(rule, [3]), 100)
    assert many[1].tobytes() == many[3].tobytes() == alone[0].tobytes()
    assert many[0].tobytes() != many[1].tobytes()


def test_ticks_taken_one_by_one_or_all_at_once_are_the_same():
    at_once, one_by_one = (batch("always", [1]) for _ in range(2))
    advance(at_once, 60)
    for _ in range(60):
        advance(one_by_one, 1)
    assert at_once.tobytes() == one_by_one.tobytes()


def test_a_copy_shares_the_future_and_leaves_the_original_alone():
    original = advance(batch("always", [1]), 50)
    kept = original.tobytes()
    fork = advance(original.copy(), 50)
    assert original.tobytes() == kept
    assert advance(original, 50).tobytes() == fork.tobytes()


def test_episodes_of_one_seed_differ():
    first, second = batch("always", [1]), np.repeat(boot(lively(), "7.0"), 1)
    install_rule(second, "always")
    second["seed"], second["episode"] = 1, 1
    started(second)
    assert not np.array_equal(advance(first, 60)["node"]["vmstat"], advance(second, 60)["node"]["vmstat"])


# What rules may change -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("bit", "rule"), [(1, "always"), (0, "never")])
@pytest.mark.parametrize(
    "scenario",
    ["swap_full", "tier", "hotplug", "boost_overcount", lively()],
    ids=lambda one: getattr(one, "name", one),
)
def test_an_agent_that_always_answers_the_same_is_that_rule_to_the_bit(scenario, bit, rule):
    agent = ReclaimVectorEnv(2, scenario=scenario, episode_s=25)
    kernel = ReclaimVectorEnv(2, scenario=scenario, episode_s=25, rule=rule)
    for env in (agent, kernel):
        env.reset(seed=4)
        for _ in range(20 if agent.scenarios[0].name == "lively" else 250):
            env.step(np.full((2, env.num_nodes), bit, np.int8))
    # The kernel rule is written into unused rows as well.
    assert different_fields(agent, kernel) <= {"reset_always_mask"}
    assert kernel.records["node"]["vmstat"]["progress"].sum() > 0


def different_fields(one: ReclaimVectorEnv, other: ReclaimVectorEnv) -> set[str]:
    """Fields of nodes that differ; everything else must be equal."""
    a, b = one.records.copy(), other.records.copy()
    fields = {
        name for name in layout.NODE.names or () if a["node"][name].tobytes() != b["node"][name].tobytes()
    }
    a["node"] = b["node"]
    assert a.tobytes() == b.tobytes()
    return fields


COLD_STREAM = {
    "anon": [anon(pages=40000)],
    "stream": [{"name": "cold", "cpu_node": 0, "mib_per_s": 300, "inactive_mib": [80]}],
}


@pytest.mark.parametrize("tables", [COLD_STREAM, {"reader": [reader(files=[file(20000, size=30000)])]}])
def test_where_no_run_fails_all_rules_are_equal_to_the_last_bit(tables):
    machines = [started(machine(rule, seed=2, **tables)) for rule in sorted(RULES)]
    for one in machines:
        advance(one, 300)
        forget_rule(one)
    assert machines[0]["node"]["vmstat"]["kswapd_fruitless_runs"].sum() == 0
    if "stream" in tables:
        assert machines[0]["node"]["vmstat"]["pgsteal_kswapd"][0, 0] > 10000
    assert len({one.tobytes() for one in machines}) == 1


def test_demand_drawn_in_advance_is_the_same_under_every_rule():
    """Phases and switches of workloads depend on the seed alone, so rules are compared on equal stories."""
    drawn = set()
    for rule in sorted(RULES):
        now = advance(batch(rule, [7]), 150)
        class_, work = rows(now[0], "class_"), rows(now[0], "workload")
        drawn.add(
            (class_["nr_switches"].tobytes(), class_["next_switch_s"].tobytes(), work["phase_s"].tobytes())
        )
    assert len(drawn) == 1


# Idle, protected, symmetric ------------------------------------------------------------------------------


def test_a_machine_without_demand_is_a_fixed_point_once_kswapd_sleeps():
    idle = started(
        machine(
            anon=[anon(pages=40000)],
            hopeless=[{"node": 0}],
            reader=[reader(files=[file(3000, 800)], start_s=99)],
        )
    )
    idle["node"]["kernel_pages"][0, 0] += idle["node"]["free_pages"][0, 0] - 300
    idle["node"]["free_pages"][0, 0] = 300
    idle["node"]["kswapd_phase"][0, 0] = 2  # dozing its last
    advance(idle, 20)
    assert idle["node"]["kswapd_phase"][0, 0] == SLEEP
    later = advance(idle.copy(), 100)
    for field in ("tick", "time_s", "now_s"):
        assert later[field] > idle[field]
        later[field] = idle[field]
    for field in ("hopeless_s", "false_dead_s"):
        later["node"]["vmstat"][field] = idle["node"]["vmstat"][field]
    assert different_names(later[0], idle[0]) == set()


def different_names(one: np.void, other: np.void) -> set[str]:
    names = set()
    for name in one.dtype.names or ():
        if one[name].tobytes() != other[name].tobytes():
            names.add(name)
    return names


@lawful
@given(story=stories(), seed=st.integers(0, 1000))
def test_a_cgroup_below_min_loses_no_page_to_others(story, seed):
    groups = story["cgroup"]
    groups[3]["memory_min_mib"] = 2000.0  # more than there is
    now = started(machine("always", seed, **story))
    advance(now, 80)
    assert now[0]["memcg"][3]["pgsteal"] == 0
    audit(now)


@lawful
@given(story=stories(), seed=st.integers(0, 1000))
def test_a_cgroup_below_low_loses_pages_to_tasks_and_never_to_kswapd(story, seed):
    story["cgroup"][3]["memory_low_mib"] = 2000.0  # more than there is
    now = started(machine("always", seed, **story))
    for _ in range(16):
        before = now.copy()
        advance(now, 5)
        scanned = now["node"]["vmstat"]["pgscan_direct"] - before["node"]["vmstat"]["pgscan_direct"]
        if not scanned.any():
            assert now[0]["memcg"][3]["pgsteal"] == before[0]["memcg"][3]["pgsteal"]


def test_without_a_fruitless_run_or_a_reset_the_count_stays_zero():
    now = started(machine("never", **COLD_STREAM))
    for _ in range(30):
        advance(now, 10)
        assert now["node"]["kswapd_failures"][0, 0] == 0


def mirrored(left: list[dict], right: list[dict], swap: bool) -> dict:
    """Two nodes with a story each, bound to it: `left` on node 0, or with swap on node 1.

    Pages are dear to examine, so that what a kswapd does depends on the CPU time it gets.
    """
    cost = {"source": "made up", "scan_us": 30}
    tables: dict = {"node": [NODE, NODE], "anon": [], "stream": [], "cost": cost}
    for nid, tasks in enumerate((right, left) if swap else (left, right)):
        for task in tasks:
            bound = {**task, "cpu_node": nid, "policy": "bind", "nodes": [nid]}
            pages = bound.pop("pages")
            key = "anon" if "churn_mib_per_s" in task else "stream"
            bound["initial_mib" if key == "anon" else "inactive_mib"] = [pages * (nid == j) for j in range(2)]
            tables[key].append(bound)
    return tables


def test_relabelled_nodes_give_the_same_means():
    """Not to the bit: turns within a tick rotate by node, and draws are named by node.

    Preset 6.12: from 6.18 on the last node is special.
    """
    left = [
        {"name": "busy", "pages": 150, "churn_mib_per_s": 50.0, "threads": 2},
        {"name": "scan", "pages": 90, "mib_per_s": 300.0},
    ]
    right = [
        {"name": "calm", "pages": 200, "churn_mib_per_s": 0.0},
        {"name": "drip", "pages": 20, "mib_per_s": 20.0},
    ]
    means = []
    for swap in (False, True):
        tables = mirrored(left, right, swap)
        machines = np.concatenate([machine("always", seed, "6.12", **tables) for seed in range(24)])
        advance(started(machines), 150)
        vmstat = machines["node"]["vmstat"][:, [1, 0] if swap else [0, 1]]
        means.append(
            {name: vmstat[name] for name in ("pgsteal_kswapd", "pageoutrun", "kswapd_cpu_s", "pgpgin")}
        )
    for name, there in means[0].items():
        here = means[1][name]
        error = np.sqrt((there.var(axis=0) + here.var(axis=0)) / 24)
        assert np.all(
            np.abs(there.mean(axis=0) - here.mean(axis=0)) <= 4 * error + 0.01 * there.mean(axis=0)
        ), name
    assert means[0]["pgsteal_kswapd"][:, 0].mean() > 1000


def test_what_a_rule_does_on_one_node_is_nothing_to_a_node_that_shares_nothing_with_it():
    """Law 18, over means: nodes of a machine share the cutting of ticks, and with it the names of draws."""
    shrinking = {"name": "shrinking", "pages": 200, "churn_mib_per_s": 100.0, "threads": 2}
    left = [shrinking, {"name": "scan", "pages": 10, "mib_per_s": 300.0}]
    right = [
        {"name": "busy", "pages": 150, "churn_mib_per_s": 50.0},
        {"name": "drip", "pages": 90, "mib_per_s": 90.0},
    ]
    seen = []
    for rule in ("always", "never"):
        machines = np.concatenate(
            [machine("always", seed, "6.12", **mirrored(left, right, False)) for seed in range(24)]
        )
        machines["node"]["kswapd_failures"][:, :2] = [16, 5]
        machines["node"]["reset_always_mask"] = 0
        machines["node"]["reset_always_mask"][:, 0] = RULES[rule].always
        seen.append(advance(started(machines), 150)["node"]["vmstat"])
        assert (machines["node"]["kswapd_failures"][:, 1] == 5).all()  # no reset leaks
    always, never = seen
    assert always["pgscan_kswapd"][:, 0].mean() > 2 * never["pgscan_kswapd"][:, 0].mean()
    for name in ("pgsteal_kswapd", "pageoutrun", "kswapd_cpu_s", "pgpgin"):
        there, here = always[name][:, 1], never[name][:, 1]
        error = np.sqrt((there.var() + here.var()) / 24)
        assert abs(there.mean() - here.mean()) <= 4 * error + 0.005 * there.mean(), name
    assert always["pgsteal_kswapd"][:, 1].mean() > 1000


def test_more_bandwidth_never_makes_an_open_loop_wait_longer():
    waits = []
    for bandwidth in (20, 40, 100, 1000):
        cold = reader(files=[file(size=30000)], ops_per_s=8000.0, threads=64)
        now = started(machine(device={**DEVICE, "bandwidth_mib_per_s": bandwidth}, reader=[cold]))
        advance(now, 200)
        waits.append(float(now["workload"]["backlog_ops"][0, 0] + now["workload"]["lost_ops"][0, 0]))
    assert waits == sorted(waits, reverse=True) and waits[0] > waits[-1]


def test_a_file_split_into_halves_is_the_same_file():
    """Law 19: halves with half of the accesses each; the means over seeds agree."""
    refaults = []
    for parts in (1, 2):
        files = [file(0, size=60000 // parts, share=1 / parts) for _ in range(parts)]
        tables = {"anon": [anon(pages=30000)], "reader": [reader(files=files, threads=4, think_ms=0.1)]}
        machines = np.concatenate([machine("always", seed, "6.12", **tables) for seed in range(16)])
        advance(started(machines), 300)
        refaults.append(machines["node"]["vmstat"]["workingset_refault_file"][:, 0])
    whole, halves = refaults
    assert whole.mean() > 1000
    error = np.sqrt((whole.var() + halves.var()) / 16)
    assert abs(whole.mean() - halves.mean()) < 4 * error + 0.02 * whole.mean()


# Smaller ticks -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("incident", "always"),
        ("incident", "balanced"),
        ("dead_kswapd", "always"),
        ("dead_kswapd", "balanced"),
    ],
)
def test_halving_the_tick_moves_no_mean(name, rule):
    """Over 64 seeds: by less than 2 % or two standard errors."""
    means, errors = [], []
    for halves in (1, 2):
        whole = load(name)
        finer = whole.model_copy(update={"tick_ms": whole.tick_ms // halves})
        env = ReclaimVectorEnv(64, scenario=finer, rule=rule, threads=2)
        env.reset(seed=0)
        idle = np.zeros((64, env.num_nodes), np.int8)
        cost = np.zeros(64)
        for _ in range(600):
            _, reward, _, _, _ = env.step(idle)
            cost -= reward
        vmstat = env.records["node"]["vmstat"]
        totals = {
            "kswapd_cpu_s": vmstat["kswapd_cpu_s"].sum(axis=1),
            "bystander_refault_pages": vmstat["bystander_refault_pages"].sum(axis=1),
            "cost": cost,
        }
        means.append({key: values.mean() for key, values in totals.items()})
        errors.append({key: values.std(ddof=1) / 8 for key, values in totals.items()})
    for key in means[0]:
        moved = abs(means[1][key] - means[0][key])
        error = np.hypot(errors[0][key], errors[1][key])
        assert moved <= max(0.02 * abs(means[0][key]), 2 * error), (key, means[0][key], means[1][key], error)
