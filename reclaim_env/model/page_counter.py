"""What of its min and low a cgroup gets (mm/page_counter.c)."""

from reclaim_env.model.hierarchy import in_subtree
from reclaim_env.model.kernel import inlined, kernel


@inlined
def has_children(env, g):
    """Is there a cgroup below this one?"""
    found = False
    for child in range(env.nr_memcgs):
        found |= env.memcg[child].parent == g
    return found


@kernel
def mem_cgroup_calculate_protection(env, root):
    """effective_protection() below whoever reclaims, parents first, with the recursive share of the rest.

    Against their parent's own limit its children have all that they ask for.
    """
    for g in range(env.nr_memcgs):
        memcg = env.memcg[g]
        if g == root or not in_subtree(env, g, root):
            continue
        if memcg.parent == root:
            memcg.emin_pages = float(max(memcg.min_pages, 0))
            memcg.elow_pages = float(max(memcg.low_pages, 0))
            continue
        parent = env.memcg[memcg.parent]
        if parent.emin_pages <= 0.0 and parent.elow_pages <= 0.0:
            memcg.emin_pages = 0.0
            memcg.elow_pages = 0.0
            continue
        claimed_min, claimed_low = claimed_by_children(env, memcg.parent)
        memcg.emin_pages = effective_protection(
            memcg, parent, memcg.min_pages, parent.emin_pages, claimed_min
        )
        memcg.elow_pages = effective_protection(
            memcg, parent, memcg.low_pages, parent.elow_pages, claimed_low
        )


@inlined
def claimed_by_children(env, parent):
    """Sums over a cgroup's children of what they use of their own min and low."""
    claimed_min = 0.0
    claimed_low = 0.0
    for g in range(env.nr_memcgs):
        if env.memcg[g].parent == parent:
            claimed_min += min(env.memcg[g].usage_pages, max(env.memcg[g].min_pages, 0))
            claimed_low += min(env.memcg[g].usage_pages, max(env.memcg[g].low_pages, 0))
    return claimed_min, claimed_low


@kernel
def effective_protection(memcg, parent, setting, parent_effective, claimed):
    """What of its own setting a cgroup gets under its parent's effective protection."""
    protected = float(min(memcg.usage_pages, max(setting, 0)))
    if claimed > parent_effective:
        return protected * parent_effective / claimed
    unclaimed = parent_effective - claimed
    if unclaimed <= 0.0 or parent.usage_pages <= claimed:
        return protected
    return protected + unclaimed * (memcg.usage_pages - protected) / (parent.usage_pages - claimed)
