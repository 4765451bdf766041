"""What an interval cost, in seconds of lost task or CPU time; the reward is minus the weighted sum.

| term       | lost seconds                                                                        |
|------------|-------------------------------------------------------------------------------------|
| refault_io | thread time spent waiting for refaulted pages to be read back                       |
| kswapd_cpu | CPU time of kswapd                                                                  |
| stall      | thread time in direct reclaim, or blocked because memory could not be had           |
| oom        | 30 s for every kill, the kernel's or oomd's: the restart and its cold cache         |
| atomic     | 0.5 s for every atomic burst that did not get all its pages                         |

Under `card` (IO, CPU and OOM only) what the tasks pay in direct reclaim for a kswapd that has given up
costs nothing: never resetting is then optimal in `incident` and `dead_kswapd`, and little is left to learn.
It is kept because the problem was first stated so. `default` weighs all five terms alike.
"""

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np

from reclaim_env.model.kernel import kernel
from reclaim_env.model.layout import VMSTAT

OOM_KILL_S = 30.0
ATOMIC_FAIL_S = 0.5

COST_TERMS = ("refault_io", "kswapd_cpu", "stall", "oom", "atomic")
WEIGHTS: dict[str, dict[str, float]] = {
    "default": {"refault_io": 1.0, "kswapd_cpu": 1.0, "stall": 1.0, "oom": 1.0, "atomic": 1.0},
    "card": {"refault_io": 1.0, "kswapd_cpu": 1.0, "stall": 0.0, "oom": 1.0, "atomic": 0.0},
}


def weights_of(reward: str | Mapping[str, float]) -> np.ndarray:
    """(len(COST_TERMS),) float64, from a preset's name or a weight for every term."""
    if isinstance(reward, str):
        if reward not in WEIGHTS:
            raise ValueError(
                f"reward: found {reward!r}, wanted one of {', '.join(WEIGHTS)}, or a weight per term"
            )
        reward = WEIGHTS[reward]
    if set(reward) != set(COST_TERMS):
        raise ValueError(f"reward: found weights for {', '.join(reward)}, wanted {', '.join(COST_TERMS)}")
    given = [reward[term] for term in COST_TERMS]
    if not all(isinstance(one, Real) and 0 <= one < math.inf for one in given):
        raise ValueError(f"reward: found weights {dict(reward)}, wanted finite numbers of 0 or more")
    return np.array(given, np.float64)


@kernel
def _node_cost(now, before, lost_s):
    """Fills (len(COST_TERMS),) with what one node's interval cost, in the order of COST_TERMS."""
    lost_s[0] = now.refault_wait_s - before.refault_wait_s
    lost_s[1] = now.kswapd_cpu_s - before.kswapd_cpu_s
    lost_s[2] = now.stall_s - before.stall_s
    kills = now.oom_kill - before.oom_kill + now.oomd_kill - before.oomd_kill
    lost_s[3] = kills * OOM_KILL_S
    lost_s[4] = (now.atomic_fail - before.atomic_fail) * ATOMIC_FAIL_S


@kernel
def cost_rows(envs, rows, before, weights, node_lost_s, lost_s, reward):
    """Fills, for each row, lost seconds by node and term, their sum over nodes, and minus the weighted sum.

    node_lost_s: (num_envs, num_nodes, terms); lost_s: (num_envs, terms); reward: (num_envs,).
    Summed in the order of nodes and terms, so that whoever adds up the info gets the same bits.
    """
    for j in range(rows.size):
        i = rows[j]
        lost_s[i, :] = 0.0
        for nid in range(envs[i].nr_nodes):
            _node_cost(envs[i].node[nid].vmstat, before[i, nid], node_lost_s[i, nid])
            for term in range(weights.size):
                lost_s[i, term] += node_lost_s[i, nid, term]
        cost_s = 0.0
        for term in range(weights.size):
            cost_s += weights[term] * lost_s[i, term]
        reward[i] = 0.0 - cost_s  # and not -cost_s: a free interval is 0.0, not -0.0


def episode_cost(records: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the episodes so far: lost seconds by term, (num_envs, terms), and the cost, their weighted sum."""
    num_envs, num_nodes, nr_terms = len(records), records["node"].shape[1], len(weights)
    lost_s, node_lost_s = np.zeros((num_envs, nr_terms)), np.zeros((num_envs, num_nodes, nr_terms))
    before, reward = np.zeros((num_envs, num_nodes), VMSTAT), np.zeros(num_envs)
    cost_rows(records, np.arange(num_envs), before, weights, node_lost_s, lost_s, reward)
    return lost_s, 0.0 - reward
