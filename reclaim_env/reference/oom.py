"""The OOM killer: a victim by size; its memory comes back as its manager frees it (mm/oom_kill.c)."""

import math

from .compiled import compiled
from .names import ANON, ROOT


@compiled
def kill_victim(m, root, mask):
    """oom_kill_process(); root 0 means everybody. Returns whether somebody was killed."""
    total = 0
    for nid in range(m.system[0].nr_nodes):
        total += m.node[nid].managed_pages
    victim, best = -1, -math.inf
    for w in range(m.instance.shape[0]):
        one = m.instance[w]
        inside = root == ROOT or root <= one.memcg < m.memcg[root].end
        if one.kind != ANON or not inside or not one.node_mask & mask:
            continue
        if one.dying:
            return False
        pages = one.swapped_pages
        for nid in range(m.system[0].nr_nodes):
            pages += one.anon_pages[nid]
        score = pages + one.oom_score_adj * total / 1000.0
        if pages > 0 and one.oom_score_adj > -1000.0 and score > best:
            victim, best = w, score
    if victim < 0:
        return False
    one = m.instance[victim]
    one.dying = 1
    one.restart_at_s = m.system[0].time_s + one.restart_s
    m.node[one.cpu_node].oom_kill += 1
    m.memcg[one.memcg].events_oom_kill += 1
    return True
