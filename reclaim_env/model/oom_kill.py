"""The OOM killer: who dies when memory, or a cgroup's limit, leaves no other way (mm/oom_kill.c).

Kept: the last look at high, the score with oom_score_adj, constrained kills, one victim at a time. Left out:
tasks without anonymous memory, memory.oom.group.
"""

import math

from reclaim_env.model.constants import ALL_NODES, ANON, ROOT
from reclaim_env.model.hierarchy import in_subtree
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.watermark import pages_above


@kernel
def held_pages(env, work):
    """Pages of a workload, resident or swapped out."""
    pages = work.swapped_pages
    for nid in range(env.nr_nodes):
        pages += work.anon_pages[nid]
    return pages


@inlined
def out_of_memory(env, w, mask):
    """__alloc_pages_may_oom(): a last look at high, then a victim is chosen - unless one is dying already."""
    env.workload[w].no_progress_loops = 0
    for nid in range(env.nr_nodes):
        if mask >> nid & 1 and pages_above(env.node[nid], env.node[nid].high_wmark_pages) > 0:
            return
    kill_victim(env, ROOT, mask if env.workload[w].bound else ALL_NODES)


@kernel
def kill_victim(env, root, mask):
    """oom_kill_process(): the highest score in a cgroup (ROOT: all), of tasks whose policy meets the mask.

    Score: pages, resident or swapped out, + oom_score_adj thousandths of memory; -1000 is never chosen.
    The machine and the victim's cgroup count every kill, one for a limit's sake, too.
    Returns whether somebody was killed.
    """
    total = 0
    for nid in range(env.nr_nodes):
        total += env.node[nid].managed_pages
    victim = -1
    best = -math.inf  # a negative score dies, too, where nobody has a higher one
    for v in range(env.nr_workloads):
        work = env.workload[v]
        if work.kind != ANON or not in_subtree(env, work.memcg, root) or not work.node_mask & mask:
            continue
        if work.dying:
            return False
        pages = held_pages(env, work)
        score = pages + work.oom_score_adj * total / 1000.0
        if pages > 0 and work.oom_score_adj > -1000.0 and score > best:
            best = score
            victim = v
    if victim < 0:
        return False
    work = env.workload[victim]
    work.oom_kill += 1
    env.memcg[work.memcg].events_oom_kill += 1
    env.node[work.cpu_node].vmstat.oom_kill += 1
    begin_dying(env, work)
    return True


@inlined
def begin_dying(env, work):
    """Its memory goes as fast as it can be freed; then it starts again."""
    work.dying = 1
    work.restart_at_s = env.time_s + work.restart_s
