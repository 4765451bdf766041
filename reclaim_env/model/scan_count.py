"""How many pages of a list a pass looks at: get_scan_count() and what protects a cgroup (mm/vmscan.c).

Kept: the priority shift with rounding per list, protection by effective min and low. Of identical cgroups
the mean over members. How file and anonymous lists share a scan stands in lru_balance.py.
"""

import math

from reclaim_env.model import rng
from reclaim_env.model.constants import ACTIVE, INACTIVE, SWAP_CLUSTER_MAX
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lru_balance import part_to_scan


@kernel
def expected_shifts(settled, arrivals, shift):
    """E[(settled + Poisson(arrivals)) >> shift]: one member's list, of which `arrivals` came at random."""
    step = float(1 << shift)
    mean = settled + arrivals
    if arrivals < 1e-9 or mean + 8.0 * math.sqrt(arrivals) + 8.0 < step:  # certain, or as good as impossible
        return math.floor(settled / step)
    if mean > 24.0 * step:
        return mean / step - 0.5 * (step - 1.0) / step
    if arrivals > 32.0:  # too many to enumerate: the spread of the sum decides how sharp the steps are
        if 3.0 * math.sqrt(arrivals) > step:
            return max(mean / step - 0.5 * (step - 1.0) / step, 0.0)
        return math.floor(mean / step)
    mass = math.exp(-arrivals)
    below = 0.0  # P(sum < next multiple of step)
    k = 0
    total = 0.0
    whole = math.floor(settled)
    total += math.floor(whole / step)
    threshold = (math.floor(whole / step) + 1.0) * step - whole
    while True:
        while k < threshold:
            below += mass
            k += 1
            mass *= arrivals / k
        above = 1.0 - below
        if above < 1e-9:
            return total
        total += above
        threshold += step


@inlined
def member_list(lruvec, lst, nr_members):
    """One member's list: (pages the last scan left, spread evenly; mean of what came at random since)."""
    pages = lruvec.list_pages[lst]
    if nr_members == 1:
        return float(pages), 0.0
    settled = min(lruvec.settled_pages[lst], pages) / nr_members
    return settled, pages / nr_members - settled


@kernel
def mean_shift(settled, arrivals, shift):
    """Mean of one member's list length >> shift, where some members have a settled page more than others."""
    whole = math.floor(settled)
    part = settled - whole
    if part == 0.0:
        return expected_shifts(whole, arrivals, shift)
    return (1.0 - part) * expected_shifts(whole, arrivals, shift) + part * expected_shifts(
        whole + 1.0, arrivals, shift
    )


@kernel
def member_shift(lruvec, lst, nr_members, shift):
    """Mean of one member's list length >> shift.

    One cgroup: exactly its length shifted. N identical ones: what the last scan left is spread evenly
    over them, what came since fell on them at random, so a short list has a page to spare here and there.
    """
    pages = lruvec.list_pages[lst]
    if nr_members == 1:
        return float(pages >> shift)
    if pages < 1 << shift:  # not even one member could have so many
        return 0.0
    settled, arrivals = member_list(lruvec, lst, nr_members)
    return mean_shift(settled, arrivals, shift)


@inlined
def protection_pages(memcg, low_ignored):
    """get_scan_count(): what effective min and low keep out of the scan."""
    return memcg.emin_pages if low_ignored else max(memcg.elow_pages, memcg.emin_pages)


@inlined
def protected_ratio(memcg, low_ignored):
    """get_scan_count(): the part of a list that is kept out of the scan."""
    protection = protection_pages(memcg, low_ignored)
    return protection / (max(float(memcg.usage_pages), protection) + 1.0)


@kernel
def nr_to_scan(lruvec, memcg, lst, priority, low_ignored, is_target, members):
    """get_scan_count() for one list: pages of `members` of the cgroup's identical members, as a mean."""
    pages = lruvec.list_pages[lst]
    if pages == 0:
        return 0.0
    ratio = 0.0 if is_target else protected_ratio(memcg, low_ignored)
    if ratio <= 0.0:
        return members * member_shift(lruvec, lst, memcg.nr_members, priority)
    return members * member_scan(pages / memcg.nr_members, 0.0, priority, ratio)


@inlined
def member_scan(settled, arrivals, priority, ratio):
    """get_scan_count() for a list of one member, `ratio` of it protected, as a mean.

    A list is shortened by its protection before the shift, to no less than SWAP_CLUSTER_MAX if it is less.
    """
    if ratio <= 0.0:
        return mean_shift(settled, arrivals, priority)
    size = settled + arrivals
    size -= math.floor(size * ratio)
    return float(math.floor(max(size, float(SWAP_CLUSTER_MAX)) / (1 << priority)))


@inlined
def pass_target(nr_members, settled, arrivals, priority, ratio):
    """Mean of the pages one pass examines of a member's list; whole pages of a single cgroup's."""
    if nr_members == 1 and ratio <= 0.0:
        return float(int(settled) >> priority)
    return member_scan(settled, arrivals, priority, ratio)


@inlined
def sum_passes(passes, member, lists, fares):
    """Means of the (inactive, active) pages that passes examine of a member.

    passes: the first and last priority, and whether they may deactivate; each meets the lists as the one
    before leaves them. member: of how many he is one, visits a pass pays him, the part of his lists that is
    protected. lists: (settled, arrivals) of member_list(), of either list. fares: the parts of examined pages
    evicted, activated; of aged ones, rotated.
    """
    first, last, may_deactivate = passes
    nr_members, visits, ratio = member
    (inactive, new_inactive), (active, new_active) = lists
    evicted_ratio, activated_ratio, rotated_ratio = fares
    all_examined = 0.0
    all_aged = 0.0
    for priority in range(first, last - 1, -1):
        examined = visits * pass_target(nr_members, inactive, new_inactive, priority, ratio)
        examined = min(examined, inactive + new_inactive)
        aged = 0.0
        if may_deactivate:
            aged = visits * pass_target(nr_members, active, new_active, priority, ratio)
            aged = min(aged, active + new_active)
        if examined + aged == 0.0:
            continue
        all_examined += examined
        all_aged += aged
        deactivated = aged * (1.0 - rotated_ratio)
        activated = examined * activated_ratio
        inactive += new_inactive + deactivated - activated - examined * evicted_ratio
        active += new_active + activated - deactivated
        new_inactive = 0.0
        new_active = 0.0
    return all_examined, all_aged


@inlined
def mem_cgroup_below_min(memcg):
    """Effective min covers all the cgroup uses."""
    return memcg.emin_pages > 0.0 and memcg.emin_pages >= memcg.usage_pages


@inlined
def mem_cgroup_below_low(memcg):
    """Effective low covers all the cgroup uses."""
    return memcg.elow_pages > 0.0 and memcg.elow_pages >= memcg.usage_pages


@kernel
def draw_target(env, lru, lst, mean_pages):
    """Whole pages to scan, of a mean that is whole already unless members are many."""
    whole = math.floor(mean_pages)
    if whole == mean_pages:
        return int(whole)
    env.nr_scans += 1
    u, _, _ = rng.uniforms(env, rng.ROUNDING, env.nr_scans)
    return min(rng.round_stochastic(mean_pages, u), env.lruvec[lru].list_pages[lst])


@kernel
def limited_targets(env, lru, priority, type_ratio, is_target, may_deactivate, members):
    """get_scan_count() for a row of lists: whole pages of the (inactive, active) one.

    Where passes are made as one (sc.nr_merged above this one) what they examine together.
    """
    if type_ratio <= 0.0:
        return 0, 0
    sc = env.sc
    lruvec = env.lruvec[lru]
    memcg = env.memcg[lruvec.memcg]
    ratio = 0.0 if is_target else protected_ratio(memcg, sc.low_ignored)
    if is_target and members < memcg.nr_members:  # of what the members whose call it is have left
        nr_members, visits, visited = 1, 1.0, members
        inactive_list = (float(lruvec.visited_pages[INACTIVE] // members), 0.0)
        active_list = (float(lruvec.visited_pages[ACTIVE] // members), 0.0)
    else:
        nr_members = visited = memcg.nr_members
        visits = members / nr_members
        inactive_list = member_list(lruvec, INACTIVE, nr_members)
        active_list = member_list(lruvec, ACTIVE, nr_members)
    if not may_deactivate and pass_target(nr_members, active_list[0], active_list[1], priority, ratio) > 0.0:
        sc.skipped_deactivate = 1
    inactive, active = sum_passes(
        (priority + sc.nr_merged, priority, may_deactivate),
        (nr_members, visits, ratio),
        (inactive_list, active_list),
        (0.0 if lruvec.has_mapped else 1.0, 0.0, 0.0),  # who looks once knows of mapped pages nothing yet
    )
    inactive = part_to_scan(visited * inactive, type_ratio, memcg.nr_members)
    active = part_to_scan(visited * active, type_ratio, memcg.nr_members)
    return (
        min(draw_target(env, lru, INACTIVE, inactive), lruvec.list_pages[INACTIVE]),
        min(draw_target(env, lru, ACTIVE, active), lruvec.list_pages[ACTIVE]),
    )
