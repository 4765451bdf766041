"""What the administrator switches while the machine runs: swap space, and demotion (mm/memory-tiers.c)."""

from reclaim_env.model.constants import DEMOTION_ON, OTHER, SWAPON
from reclaim_env.model.kernel import inlined
from reclaim_env.model.reset_rule import kswapd_clear_hopeless


@inlined
def flip(env, kind):
    """swapon resets nobody's count in any version; demotion switched on does on every node from 6.18."""
    if kind == SWAPON:
        env.swap.on = 1
        return
    was_enabled = env.demotion_enabled
    env.demotion_enabled = kind == DEMOTION_ON
    if env.demotion_reset and env.demotion_enabled and not was_enabled:
        for nid in range(env.nr_nodes):
            kswapd_clear_hopeless(env, env.node[nid], OTHER)
