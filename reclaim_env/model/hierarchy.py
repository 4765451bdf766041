"""The tree of cgroups, and what is charged up it (mm/page_counter.c)."""

from reclaim_env.model.kernel import inlined, kernel


@kernel
def in_subtree(env, g, root):
    """Is cgroup g the cgroup `root` or below it? Root -1 is everything."""
    if root < 0:
        return True
    if g < root or g > env.memcg[root].last_descendant:  # parents stand before their children
        return False
    while g >= 0 and g != root:
        g = env.memcg[g].parent
    return g == root


@inlined
def last_of_walk(env, root):
    """Where a walk over a subtree ends."""
    if root < 0:
        return (env.first_memcg + env.nr_memcgs - 1) % env.nr_memcgs
    return env.memcg[root].last_descendant


@inlined
def uncharge(env, g, nr_pages):
    """page_counter_uncharge(): the cgroup and its ancestors."""
    while g >= 0:
        env.memcg[g].usage_pages -= nr_pages
        g = env.memcg[g].parent
