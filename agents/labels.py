"""What each action would cost from here to the episode's end: labels for supervised policies."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from agents.forks import Forks, bit_rules, forkable
from agents.futures import costs_s, resampled
from reclaim_env.reset_rules import rule_of
from reclaim_env.vector import ReclaimVectorEnv

HOLD_STEPS = 50  # 5 s: shorter deviations do not see the trap from which no suppression leads back


def action_costs_s(
    env: ReclaimVectorEnv,
    tails: Sequence[str] = ("balanced",),
    hold_steps: int = HOLD_STEPS,
    nr_futures: int = 0,
    threads: int = 1,
) -> np.ndarray:
    """(num_envs, num_nodes, actions): lost seconds of the whole machine from now to the end of the episode.

    Action k of a node is the number its bits make (0 keeps the count, 1 clears it; with sources 0 to 7, the
    first bit counting 1). It is held for hold_steps on that node, while the others follow a tail, one of the
    kernel rules; then all follow it. Of several tails the best counts. nr_futures = 0 sees the future that
    comes (clairvoyant); else it is the mean over so many futures drawn anew: what a policy can foresee.

    The advantage of clearing over keeping is [..., 0] - [..., 1], in seconds saved; exactly 0 where the
    action makes no difference. A row whose episode is over costs nothing more. The env does not move.
    """
    rows = forkable(env)
    found = np.zeros((rows.num_envs, rows.num_nodes, len(bit_rules(rows.sources))))
    running = np.flatnonzero(rows.steps_left > 0)
    with ThreadPoolExecutor(threads, thread_name_prefix="labels") as pool:

        def label(row: int) -> np.ndarray:
            return _row_costs_s(rows, row, tails, hold_steps, nr_futures)

        for row, costs in zip(running, pool.map(label, running), strict=True):
            found[row] = costs
    return found


def _row_costs_s(
    env: ReclaimVectorEnv, row: int, tails: Sequence[str], hold_steps: int, nr_futures: int
) -> np.ndarray:
    """(num_nodes, actions)"""
    actions = bit_rules(env.sources)
    forks = Forks(env, row, (*actions, *map(rule_of, tails)))
    until = min(hold_steps, forks.nr_steps)
    plans = []
    for tail in range(len(actions), len(forks.rules)):
        for nid in range(forks.nr_nodes):
            for action in range(len(actions)):
                plans.append(forks.constant(tail))
                plans[-1][:until, nid] = action
    futures = [resampled(forks.start, number) for number in range(nr_futures)] or [forks.start]
    costs = np.mean([costs_s(forks, future, plans, 0, until) for future in futures], axis=0)
    by_tail = costs.reshape(len(tails), forks.nr_nodes, len(actions))
    return by_tail.min(axis=0) - forks.cost_s(forks.start)
