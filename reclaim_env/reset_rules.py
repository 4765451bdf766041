"""Every rule for kswapd_failures by name: who clears the count, when, and when kswapd gives up.

A rule is masks over whose progress it was, and a few numbers in the node's record (model/layout.py);
the model evaluates it at each progress event, and a probe at each tick. It is named `NAME` or
`NAME?PARAMETER=VALUE&...`, as in `threshold?runs=4`.
"""

import difflib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reclaim_env.model.constants import (
    AWARE,
    FEW_REFAULTS,
    GAP,
    GAP_STALL,
    GLOBAL_DIRECT,
    KSWAPD,
    MAX_RECLAIM_RETRIES,
    MEMCG_HIGH,
    MEMCG_MAX,
    NO_SIGNAL,
    PRICE,
    PROACTIVE,
)
from reclaim_env.rule_parameters import read_settings

MEMCG_MASK = int(1 << MEMCG_HIGH | 1 << MEMCG_MAX | 1 << PROACTIVE)
KSWAPD_MASK = int(1 << KSWAPD)
GLOBAL_DIRECT_MASK = int(1 << GLOBAL_DIRECT)
ANY_MASK = KSWAPD_MASK | GLOBAL_DIRECT_MASK | MEMCG_MASK
WHOLE_COUNT = 1 << 30  # more failures than any episode has


@dataclass(frozen=True)
class ResetRule:
    """Bit r of a mask is reason r of model.constants.REASONS; a reason in no mask never resets.

    `always`: any page freed resets the count. `balanced`: it does if the node is balanced now.
    `signalled`: if `signal` holds. `coin`: half of the time. `needs` is what a kernel would have to know to
    run the rule; `takes` names the numbers that may be set.
    """

    name: str
    source: str
    doc: str
    needs: str = "whose progress it was, which shrink_node() knows"
    always: int = 0
    balanced: int = 0
    coin: int = 0
    signalled: int = 0
    signal: int = int(NO_SIGNAL)
    takes: tuple[str, ...] = ("runs",)
    runs: int = MAX_RECLAIM_RETRIES
    step: int = WHOLE_COUNT
    left: int = 0
    refaults_per_s: float = 0.0
    wait_s: float = 0.0  # 0: no timer
    max_wait_s: float = 0.0
    pages: int = 0  # 0: allocations say nothing
    needs_free: bool = False
    retries_low: bool = False

    @property
    def longest_wait_s(self) -> float:
        return max(self.wait_s, self.max_wait_s)

    @property
    def counts_as_kernel(self) -> bool:
        """A reset means 0, and 16 means hopeless."""
        return (self.runs, self.step, self.left) == (MAX_RECLAIM_RETRIES, WHOLE_COUNT, 0)

    @property
    def only_clears(self) -> bool:
        """Nothing but whether progress clears the count: what the env's action can do as well."""
        probes = self.wait_s > 0.0 or self.pages > 0
        return self.counts_as_kernel and not probes and not self.retries_low

    @property
    def is_masks(self) -> bool:
        """Nothing but masks: what the lab's kernel and the page-exact reference can run."""
        return replace(self, always=0, balanced=0, coin=0) == ResetRule(
            self.name, self.source, self.doc, self.needs, takes=self.takes
        )


# Of a node's record, and of the rule
RULE_FIELDS = {
    "reset_always_mask": "always",
    "reset_balanced_mask": "balanced",
    "reset_coin_mask": "coin",
    "reset_signal_mask": "signalled",
    "reset_signal": "signal",
    "reset_refaults_per_s": "refaults_per_s",
    "reset_step": "step",
    "reset_floor": "left",
    "failure_limit": "runs",
    "retries_low": "retries_low",
    "probe_first_s": "wait_s",
    "probe_max_s": "longest_wait_s",
    "probe_after_pages": "pages",
    "probe_needs_free": "needs_free",
}

_TIMERS = "a timer, or a look at the clock wherever kswapd is not woken because it has given up"
_REFAULTS = "running means of refaults and reclaim per node"
_PRICES = f"{_REFAULTS}; what a refault and a direct-reclaim call cost on this machine"
_UNPROTECTED = "file pages less what memory.min and memory.low protect"

_TABLE = (
    ResetRule(
        "always",
        "mm/vmscan.c, 4.12 to 6.19 (c73322d098e4)",
        "Any page freed on the node, by anyone.",
        "nothing: a store wherever a page was freed",
        always=ANY_MASK,
    ),
    ResetRule(
        "balanced",
        "mm/vmscan.c, 7.0 (dc9fe9b7056a)",
        "A page freed by anyone, if the node is balanced at that moment.",
        "the watermarks, which pgdat_balanced() reads",
        balanced=ANY_MASK,
    ),
    ResetRule(
        "never",
        "a bound: no progress ever clears the count",
        "Only the kernel preset's own resets remain.",
        "nothing",
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
    ResetRule(
        "random", "a control", "A page freed by anyone, half of the time.", "a random number", coin=ANY_MASK
    ),
    ResetRule(
        "threshold",
        "4.12's constant of 16 made a parameter",
        "As always, but kswapd gives up after another number of fruitless runs. They must still be in a row: "
        "any page freed begins the count anew. Other rules take `runs` as well.",
        "nothing: another constant",
        always=ANY_MASK,
        runs=8,
    ),
    ResetRule(
        "decrement",
        "not proposed on the list; a natural comparator",
        "Any page freed takes one failure off the count instead of all. A hopeless node gets one run for it.",
        "nothing: a subtraction in place of the store",
        always=ANY_MASK,
        takes=("step", "runs"),
        step=1,
    ),
    ResetRule(
        "partial",
        "not proposed on the list; a natural comparator",
        "Any page freed sets the count to 8 instead of 0, so that half of the patience is left.",
        "nothing: another constant",
        always=ANY_MASK,
        takes=("left", "runs"),
        left=8,
    ),
    ResetRule(
        "never_gives_up",
        "MGLRU up to 6.11, where each pass cleared the count (fixed by b130ba4a6259)",
        "No number of fruitless runs makes a node hopeless; one that starts so is revived by any page freed.",
        "nothing",
        always=ANY_MASK,
        takes=(),
        runs=WHOLE_COUNT,
    ),
    ResetRule(
        "retry_low",
        "LKML 2025-10-14, 20251014081850.65379-1 (rejected)",
        "As always; a run that freed nothing and left cgroups alone for their memory.low is repeated with "
        "low ignored before it counts as a failure.",
        "whether memory.low made the run skip a cgroup, as direct reclaim knows",
        always=ANY_MASK,
        retries_low=True,
    ),
    ResetRule(
        "always_timer",
        "Intel's tiering tree, tiering-0.8 (17a24a354e12)",
        "As always; and kswapd is woken with a count of 0 when the node has been hopeless for 10 s.",
        _TIMERS,
        always=ANY_MASK,
        takes=("wait_s", "runs"),
        wait_s=10.0,
    ),
    ResetRule(
        "timer",
        "the timer alone: a bound",
        "No progress resets. Kswapd is woken with a count of 0 when the node has been hopeless for 10 s.",
        _TIMERS,
        takes=("wait_s", "runs"),
        wait_s=10.0,
    ),
    ResetRule(
        "balanced_timer",
        "7.0 with the timer of Intel's tiering tree; not proposed on the list",
        "As balanced; and kswapd is woken with a count of 0 when the node has been hopeless for 10 s.",
        _TIMERS,
        balanced=ANY_MASK,
        takes=("wait_s", "runs"),
        wait_s=10.0,
    ),
    ResetRule(
        "backoff",
        "not proposed on the list; a natural comparator",
        "As balanced; and kswapd is woken with a count of 0 after 1 s hopeless. Each time it then gives up "
        "sooner than it had waited, the next wait is twice as long, up to 64 s; otherwise it is 1 s again.",
        f"{_TIMERS}; when the last one was",
        balanced=ANY_MASK,
        takes=("wait_s", "max_wait_s", "runs"),
        wait_s=1.0,
        max_wait_s=64.0,
    ),
    ResetRule(
        "allocated",
        "LKML 2024-05-23, v1 of reviving by allocations (not merged)",
        "As always; and the count is cleared when a page was allocated on the hopeless node. Whoever next "
        "finds the node short wakes kswapd.",
        "pages allocated on each hopeless node: a write in the allocator's hot path",
        always=ANY_MASK,
        takes=("pages", "runs"),
        pages=1,
    ),
    ResetRule(
        "allocated_free",
        "LKML 2024-06-04, 20240604072323.10886-1, its v2 (not merged)",
        "As allocated, if free memory is at least half-way from min to low.",
        "pages allocated on each hopeless node: a write in the allocator's hot path; the watermarks",
        always=ANY_MASK,
        takes=("pages", "runs"),
        pages=1,
        needs_free=True,
    ),
    ResetRule(
        "refault_gated",
        "not proposed on the list; a natural comparator",
        "A page freed by anyone, while fewer than 200 pages/s are refaulted on the node (mean over 2 s).",
        "a running mean of refaults per node",
        signalled=ANY_MASK,
        signal=int(FEW_REFAULTS),
        takes=("refaults_per_s", "runs"),
        refaults_per_s=200.0,
    ),
    ResetRule(
        "aware",
        "this project's studies of what the decision is worth",
        "A page freed by anyone, if file pages exceed 0.7 of the deficit to high or direct reclaim frees "
        "more than half of what it examines, and at most a fifth of the pages reclaimed is refaulted (2 s).",
        f"{_REFAULTS}; direct reclaim's pgscan and pgsteal; {_UNPROTECTED}",
        signalled=ANY_MASK,
        signal=int(AWARE),
    ),
    ResetRule(
        "price",
        "this project's studies of what the decision is worth",
        "A page freed by anyone, if fewer pages come back than break even (2 s and 20 s) and the node is "
        "balanced or direct reclaim frees more than half of what it examines. Break-even: what a call of "
        "direct reclaim costs a page, in reads of a page.",
        f"{_PRICES}; direct reclaim's pgscan and pgsteal",
        signalled=ANY_MASK,
        signal=int(PRICE),
    ),
    ResetRule(
        "gap",
        "this project's studies of what the decision is worth",
        "A page freed by anyone, if fewer pages come back than break even (as in price) and the node is "
        "balanced or its file pages exceed 1.02 of the deficit to high.",
        f"{_PRICES}; {_UNPROTECTED}",
        signalled=ANY_MASK,
        signal=int(GAP),
    ),
    ResetRule(
        "gap_stall",
        "this project's studies of what the decision is worth",
        "A page freed by anyone, if fewer pages come back than break even (as in price), file pages exceed "
        "1.02 of the deficit to high, and tasks have reclaimed for themselves in the last seconds.",
        f"{_PRICES}; direct reclaim's pgscan; {_UNPROTECTED}",
        signalled=ANY_MASK,
        signal=int(GAP_STALL),
    ),
)

RULES: dict[str, ResetRule] = {rule.name: rule for rule in _TABLE}
KERNEL_RULES: dict[str, ResetRule] = {name: rule for name, rule in RULES.items() if rule.is_masks}


def rule_of(text: str) -> ResetRule:
    """The rule so named, with its parameters set; its own name says those that differ from the default."""
    name, mark, settings = text.partition("?")
    if name not in RULES:
        close = difflib.get_close_matches(name, RULES, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"rule: found {name!r}, wanted one of {', '.join(RULES)}{hint}")
    rule = RULES[name]
    values = read_settings(settings, rule.takes, f"rule {text}") if mark else {}
    changed = {one: value for one, value in sorted(values.items()) if value != getattr(rule, one)}
    if not changed:
        return rule
    own_name = f"{name}?" + "&".join(f"{one}={value:g}" for one, value in changed.items())
    return replace(rule, name=own_name, **changed)


def install_on(nodes: np.ndarray, rule: ResetRule) -> None:
    """Gives these nodes, records in an array of any shape, a rule; what they have counted stays."""
    for field, attribute in RULE_FIELDS.items():
        nodes[field] = getattr(rule, attribute)
    nodes["probe_wait_s"] = rule.wait_s


def begin_under(records: np.ndarray, rule: ResetRule) -> None:
    """Gives every node of machines at time 0 the rule; one that begins hopeless has the failures for it."""
    node = records["node"]
    begin_on(node, rule)
    node["kswapd_failures"] *= np.arange(node.shape[1]) < records["nr_nodes"][:, np.newaxis]


def begin_on(nodes: np.ndarray, rule: ResetRule) -> None:
    """As install_on(), at time 0."""
    install_on(nodes, rule)
    nodes["kswapd_failures"] = np.where(nodes["hopeless_since_s"] >= 0.0, rule.runs, 0)


def is_hopeless(nodes: Any) -> np.ndarray:
    """Of node records, or of what stands for them in a reader of logs: has kswapd given up?"""
    return nodes["kswapd_failures"] >= nodes["failure_limit"]
