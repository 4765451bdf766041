"""What an interval showed and cost, compiled into one call: calls cost a single machine more than work."""

from reclaim_env.counters import remember_rows
from reclaim_env.info import fill_rows
from reclaim_env.model.kernel import kernel
from reclaim_env.observe import clip_rows, observe_rows
from reclaim_env.reward import cost_rows


@kernel
def end_interval(
    envs,
    rows,
    before,
    counts,
    interval_s,
    node_observation,
    features,
    columns,
    low,
    high,
    observation,
    weights,
    node_lost_s,
    lost_s,
    reward,
    words,
):
    """Fills the rows of observation, node_lost_s, lost_s, reward and words, each as its kernel says.

    before, (num_envs, num_nodes) of VMSTAT: the counters at the interval's start; at return where they stand
    now, and the next interval begins. counts is its memory as int64, features that of node_observation as
    float32.
    """
    observe_rows(envs, rows, before, interval_s, node_observation)
    clip_rows(features, rows, columns, low, high, observation)
    cost_rows(envs, rows, before, weights, node_lost_s, lost_s, reward)
    remember_rows(envs, rows, before)
    fill_rows(envs, rows, counts, lost_s, words)
