"""What clears kswapd_failures: each rule's truth table, and the free path of the kernel presets."""

import pytest

from experiments.rule_list import WHO, truth_table
from reclaim_env.model.constants import (
    FREE_PATH,
    GLOBAL_DIRECT,
    KSWAPD,
    MEMCG_HIGH,
    MEMCG_MAX,
    NR_REASONS,
    PROACTIVE,
)
from reclaim_env.reset_rules import KERNEL_RULES, RULES
from tests.model.machines import NODE, one_file, one_run, plain, set_free

ANY = (KSWAPD, GLOBAL_DIRECT, MEMCG_HIGH, MEMCG_MAX, PROACTIVE)

# Rule -> reasons that clear the count on an unbalanced node, and on a balanced one.
TRUTH = {
    "always": (ANY, ANY),
    "balanced": ((), ANY),
    "never": ((), ()),
    "kswapd_only": ((KSWAPD,), (KSWAPD,)),
    "no_memcg": ((KSWAPD, GLOBAL_DIRECT), (KSWAPD, GLOBAL_DIRECT)),
    "direct_balanced": ((KSWAPD,), ANY),
    "global_direct": ((GLOBAL_DIRECT,), ANY),
}


def hopeless(rule: str, balanced: bool, failures: int = 16):
    env = plain(rule)
    set_free(env, 5000 if balanced else 700)
    env.node[0].kswapd_failures = failures
    return env


@pytest.mark.parametrize("rule", TRUTH)
@pytest.mark.parametrize("balanced", [False, True])
def test_truth_table_of_the_rule(model, rule, balanced):
    for reason in ANY:
        env = hopeless(rule, balanced)
        node = env.node[0]
        model.reset_rule.kswapd_try_clear_hopeless(env, 0, reason, 1)
        cleared = reason in TRUTH[rule][balanced]
        assert node.kswapd_failures == (0 if cleared else 16)
        one_hot = [int(r == reason) for r in range(NR_REASONS)]
        assert list(node.vmstat.progress) == one_hot
        assert list(node.vmstat.resets) == [cleared * hot for hot in one_hot]
        assert list(node.vmstat.revivals) == [cleared * hot for hot in one_hot]
        assert node.last_reset_reason == (reason if cleared else -1)


@pytest.mark.parametrize("rule", TRUTH)
def test_the_truth_table_that_is_printed_is_this_one(rule):
    printed = truth_table(RULES[rule])
    for who, reason in WHO.items():
        unbalanced, balanced = (reason in TRUTH[rule][i] for i in (0, 1))
        assert printed[who] == ("yes" if unbalanced else "if balanced" if balanced else "no"), who


def test_every_rule_of_masks_has_a_truth_table_and_random_is_between():
    assert set(KERNEL_RULES) == {*TRUTH, "random"}


def test_random_clears_half_of_the_time_whoever_asks(model):
    for reason in ANY:
        env = hopeless("random", balanced=False)
        cleared = 0
        for _ in range(400):
            env.node[0].kswapd_failures = 3
            model.reset_rule.kswapd_try_clear_hopeless(env, 0, reason, 1)
            cleared += env.node[0].kswapd_failures == 0
        assert 140 < cleared < 260


def test_several_passes_at_once_are_as_many_events_but_one_reset(model):
    env = hopeless("always", balanced=False, failures=5)
    model.reset_rule.kswapd_try_clear_hopeless(env, 0, MEMCG_HIGH, 7)
    vmstat = env.node[0].vmstat
    assert (vmstat.progress[MEMCG_HIGH], vmstat.resets[MEMCG_HIGH], vmstat.revivals[MEMCG_HIGH]) == (7, 1, 0)


def test_a_reset_of_zero_is_none(model):
    env = hopeless("always", balanced=False, failures=0)
    model.reset_rule.kswapd_try_clear_hopeless(env, 0, KSWAPD, 1)
    assert env.node[0].vmstat.resets.sum() == 0
    assert env.node[0].last_reset_reason == -1


def test_kswapds_own_progress_asks_the_rule(model):
    for rule, left in (("kswapd_only", 0), ("balanced", 9), ("global_direct", 9)):
        env = one_file(inactive=4096, rule=rule)
        set_free(env, 100)
        env.node[0].kswapd_failures = 9
        env.node[0].high_wmark_pages = 40000
        one_run(model, env)
        assert env.node[0].kswapd_failures == left


@pytest.mark.parametrize("kernel", ["6.12", "6.18", "6.19", "7.0"])
@pytest.mark.parametrize("nid", [0, 1])
def test_free_memory_above_high_revives_a_node_from_6_18_on_except_the_last(model, kernel, nid):
    env = plain(kernel=kernel, node=[NODE, NODE])
    set_free(env, 700, nid)
    node = env.node[nid]
    node.kswapd_failures = 16
    model.buddy.free_pages(env, nid, 60)
    assert node.kswapd_failures == 16  # 760 free: not yet above high
    model.buddy.free_pages(env, nid, 60)
    revived = kernel != "6.12" and nid == 0
    assert node.kswapd_failures == (0 if revived else 16)
    assert node.vmstat.revivals[FREE_PATH] == revived


def test_the_free_path_clears_no_count_below_16(model):
    env = plain(node=[NODE, NODE])
    set_free(env, 700)
    env.node[0].kswapd_failures = 15
    model.buddy.free_pages(env, 0, 1000)
    assert env.node[0].kswapd_failures == 15


def test_the_free_path_acts_only_where_memory_was_below_high_before(model):
    env = plain(node=[NODE, NODE])
    set_free(env, 5000)
    env.node[0].kswapd_failures = 16
    model.buddy.free_pages(env, 0, 100)
    assert env.node[0].kswapd_failures == 16
    model.buddy.rmqueue(env.node[0], 4400)
    assert env.node[0].below_high
    model.buddy.free_pages(env, 0, 400)
    assert env.node[0].kswapd_failures == 0
