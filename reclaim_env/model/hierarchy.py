"""The tree of cgroups."""

from reclaim_env.model.kernel import kernel


@kernel
def in_subtree(env, g, root):
    """Is cgroup g the cgroup `root` or below it? Root -1 is everything."""
    while g >= 0 and g != root:
        g = env.memcg[g].parent
    return g == root
