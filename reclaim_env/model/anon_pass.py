"""What a pass of kswapd does besides where anonymous memory can leave (mm/vmscan.c)."""

from reclaim_env.model.constants import ACTIVE, BY_KSWAPD, INACTIVE, KSWAPD, NR_LISTS, ROOT
from reclaim_env.model.kernel import inlined
from reclaim_env.model.lru_balance import (
    can_age_anon_pages,
    inactive_is_low,
    part_to_scan,
    prepare_scan_control,
    scan_ratios,
)
from reclaim_env.model.rows import anon_row
from reclaim_env.model.scan_count import draw_target, mem_cgroup_below_low, mem_cgroup_below_min, nr_to_scan
from reclaim_env.model.vmscan import age_anon_list


@inlined
def is_left_to_scan(env, lru):
    """Is the cgroup under the pass not done with?"""
    left = env.lruvec[lru].scan_left_pages
    if left[INACTIVE] > 0 or left[ACTIVE] > 0:
        return True
    if env.nr_anon_classes == 0:
        return False
    left = env.lruvec[anon_row(env, lru)].scan_left_pages
    return left[INACTIVE] > 0 or left[ACTIVE] > 0


@inlined
def weigh_anon(env, nid, now_s):
    """Before a pass where anonymous memory can leave: scan control, and kswapd_age_node(). CPU seconds."""
    pgdat = env.node[nid]
    prepare_scan_control(
        env, BY_KSWAPD, ROOT, nid, pgdat.priority, pgdat.pass_may_deactivate, False, pgdat.trim_forbidden
    )
    spent_s = 0.0
    low = inactive_is_low(pgdat.stat_anon_list_pages[INACTIVE], pgdat.stat_anon_list_pages[ACTIVE])
    if low and can_age_anon_pages(env, nid):
        for lru in range(nid * env.nr_memcgs, (nid + 1) * env.nr_memcgs):
            spent_s += age_anon_list(env, lru, KSWAPD, now_s + spent_s)
    return spent_s


@inlined
def aim_both(env, nid, lru, now_s):
    """The pass's targets of a cgroup shared out between files and anonymous memory. CPU seconds of ageing."""
    pgdat = env.node[nid]
    files = env.lruvec[lru]
    anon = env.lruvec[anon_row(env, lru)]
    memcg = env.memcg[files.memcg]
    anon.scan_left_pages[INACTIVE] = 0
    anon.scan_left_pages[ACTIVE] = 0
    if mem_cgroup_below_min(memcg) or (mem_cgroup_below_low(memcg) and not pgdat.low_ignored):
        return 0.0
    anon_ratio, file_ratio = scan_ratios(env, BY_KSWAPD, files.memcg, nid, ROOT, pgdat.priority)
    for lst in range(NR_LISTS):
        pages = part_to_scan(float(files.scan_left_pages[lst]), file_ratio, memcg.nr_members)
        files.scan_left_pages[lst] = draw_target(env, lru, lst, pages)
        if anon_ratio > 0.0 and (lst == INACTIVE or pgdat.scan_balance[BY_KSWAPD].deactivate_anon):
            members = float(memcg.nr_members)
            low_ignored = pgdat.low_ignored != 0
            pages = nr_to_scan(anon, memcg, lst, pgdat.priority, low_ignored, False, members)
            pages = part_to_scan(pages, anon_ratio, memcg.nr_members)
            anon.scan_left_pages[lst] = draw_target(env, anon_row(env, lru), lst, pages)
    return age_anon_list(env, lru, KSWAPD, now_s) if can_age_anon_pages(env, nid) else 0.0
