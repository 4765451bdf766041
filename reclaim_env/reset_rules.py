"""Reset rules a kernel can evaluate, as truth tables: whose progress clears kswapd_failures, and when."""

from dataclasses import dataclass

from reclaim_env.model.constants import GLOBAL_DIRECT, KSWAPD, MEMCG_HIGH, MEMCG_MAX, PROACTIVE

MEMCG_MASK = int(1 << MEMCG_HIGH | 1 << MEMCG_MAX | 1 << PROACTIVE)
KSWAPD_MASK = int(1 << KSWAPD)
GLOBAL_DIRECT_MASK = int(1 << GLOBAL_DIRECT)
ANY_MASK = KSWAPD_MASK | GLOBAL_DIRECT_MASK | MEMCG_MASK


@dataclass(frozen=True)
class ResetRule:
    """Bit r of a mask is reason r of model.constants.REASONS; a reason in no mask never resets.

    `always`: any page freed clears the count. `balanced`: it does if the node is balanced now.
    `coin`: it does half of the time.
    """

    name: str
    source: str
    doc: str
    always: int = 0
    balanced: int = 0
    coin: int = 0


_TABLE = (
    ResetRule(
        "always",
        "mm/vmscan.c, 4.12 to 6.19 (c73322d098e4)",
        "Any page freed on the node, by anyone.",
        always=ANY_MASK,
    ),
    ResetRule(
        "balanced",
        "mm/vmscan.c, 7.0 (dc9fe9b7056a)",
        "A page freed by anyone, if the node is balanced at that moment.",
        balanced=ANY_MASK,
    ),
    ResetRule(
        "never", "a bound: no progress ever clears the count", "Only the kernel preset's own resets remain."
    ),
    ResetRule(
        "kswapd_only",
        "v1 of the patch, 2025-12-22, inferred from v2's text",
        "A page freed by kswapd itself.",
        always=KSWAPD_MASK,
    ),
    ResetRule(
        "no_memcg",
        "cgroup passes exempt (not proposed on the list; a natural comparator)",
        "A page freed by kswapd or by the allocator's direct reclaim; cgroup reclaim does not count.",
        always=KSWAPD_MASK | GLOBAL_DIRECT_MASK,
    ),
    ResetRule(
        "direct_balanced",
        "kswapd's own progress as in 6.19, the rest as in 7.0",
        "A page freed by kswapd; one freed by direct reclaim of any kind if the node is balanced.",
        always=KSWAPD_MASK,
        balanced=GLOBAL_DIRECT_MASK | MEMCG_MASK,
    ),
    ResetRule(
        "global_direct",
        "the allocator's direct reclaim as in 6.19, the rest as in 7.0",
        "A page freed by the allocator's direct reclaim; by kswapd or a cgroup if the node is balanced.",
        always=GLOBAL_DIRECT_MASK,
        balanced=KSWAPD_MASK | MEMCG_MASK,
    ),
    ResetRule("random", "a control", "A page freed by anyone, half of the time.", coin=ANY_MASK),
)

RULES: dict[str, ResetRule] = {rule.name: rule for rule in _TABLE}
