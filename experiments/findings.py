"""Plain sentences from the counters: what the rule did to the jobs, who reset the count, and when."""

import numpy as np

from reclaim_env.model.constants import REASONS

from .results import BASELINES, ScenarioResults
from .series import Series
from .wording import compact, with_unit

REASON_WORDS = {
    "kswapd": "kswapd",
    "global_direct": "the allocator's direct reclaim",
    "memcg_high": "memory.high reclaim",
    "memcg_max": "memory.max reclaim",
    "proactive": "proactive reclaim",
    "free_path": "the page-free path",
}


def answer(found: ScenarioResults) -> list[str]:
    """Three sentences: the jobs, the statistics asked for, the price."""
    return [_jobs(found), _statistics(found), _price(found)]


def _jobs(found: ScenarioResults) -> str:
    old, new = BASELINES
    changes = []
    for name in found.workloads:
        metric = f"workload/{name}/throughput_per_s"
        before, after = found.mean(old, metric).mean, found.mean(new, metric).mean
        if before and after is not None:
            changes.append((name, 100 * (after / before - 1)))
    if not changes:
        return f"No job did any operation under both {old} and {new}."
    said = ", ".join(f"{name} {change:+.1f} %" for name, change in changes)
    return f"From {old} to {new} the jobs' throughput changes by: {said}."


def _statistics(found: ScenarioResults) -> str:
    old, new = BASELINES
    parts = [
        _from_to(found, "kswapd_cpu_s", "kswapd's CPU time", "s"),
        _from_to(found, "pgscan_kswapd", "pages scanned by kswapd", ""),
        _from_to(found, "bystander_refault_mib", "bystanders' refaults", "MiB"),
        _from_to(found, "allocstall", "allocstall", ""),
    ]
    return f"From {old} to {new}, in {found.duration_s:g} s: " + ", ".join(parts) + "."


def _from_to(found: ScenarioResults, metric: str, words: str, unit: str) -> str:
    old, new = (found.mean(rule, metric).mean for rule in BASELINES)
    if old is None or new is None:
        return f"{words} n/a"
    if old == new:
        return f"{words} {with_unit(old, unit)} under both"
    return f"{words} {compact(old)} to {with_unit(new, unit)}{_factor(old, new)}"


def _factor(old: float, new: float) -> str:
    """By how much, where neither is nothing: a factor from 2 on, else per cent."""
    if not old or not new:
        return ""
    ratio = max(old, new) / min(old, new)
    if ratio < 2:
        return f" ({100 * (new / old - 1):+.2g} %)"
    return f" ({compact(ratio)} times {'less' if new < old else 'more'})"


def _price(found: ScenarioResults) -> str:
    ranked = sorted(
        (mean, rule) for rule in found.rules if (mean := found.mean(rule, "cost_s").mean) is not None
    )
    if not ranked:
        return "The cost of no rule is defined."
    old, new = BASELINES
    gap = found.difference(new, old, "cost_s")
    cheapest = [rule for mean, rule in ranked if mean == ranked[0][0]]
    who = "all rules alike" if len(cheapest) == len(found.rules) else ", ".join(cheapest)
    said = f"Least lost time: {who} ({with_unit(ranked[0][0], 's')} in {found.duration_s:g} s"
    if gap.lo is None or gap.hi is None:
        return f"{said})."
    interval = f"{with_unit(gap.diff, 's')} [{compact(gap.lo)}, {compact(gap.hi)}]"
    verdict = (
        f"{new} is cheaper"
        if gap.hi < 0
        else f"{old} is cheaper"
        if gap.lo > 0
        else "neither is shown cheaper"
    )
    return f"{said}); {new} minus {old}: {interval}, so {verdict}."


def who_reset(found: ScenarioResults, rule: str) -> list[str]:
    """One sentence per node: resets by reason over all seeds, then what the first seed's clock says."""
    series = found.series.get(rule)
    nodes = sorted({metric.split("/")[0] for metric in found.metrics if metric.startswith("node")})
    return [_node_story(found, rule, nid, series) for nid, _ in enumerate(nodes)]


def _node_story(found: ScenarioResults, rule: str, nid: int, series: Series | None) -> str:
    prefix = f"node{nid}/"
    total = found.mean(rule, f"{prefix}resets").mean
    if not total:
        story = f"node {nid}: no reset"
    else:
        shares = [(found.mean(rule, f"{prefix}resets_{reason}").mean or 0.0, reason) for reason in REASONS]
        by = [f"{REASON_WORDS[r]} {100 * n / total:.0f} %" for n, r in sorted(shares, reverse=True) if n]
        story = f"node {nid}: {with_unit(total, 'resets')} by {', '.join(by)}"
        revivals = sum(found.mean(rule, f"{prefix}revivals_{reason}").mean or 0.0 for reason in REASONS)
        if revivals:
            story += f"; {compact(revivals)} of them revived a hopeless node"
    if series is not None:
        story += "; " + _clock(series, nid)
    return story + "."


def _clock(series: Series, nid: int) -> str:
    """When, in the first seed's episode."""
    happened = series.time_s[1:][series.new_resets()[:, nid].sum(axis=-1) > 0]
    dead = series.hopeless()[:, nid]
    parts = []
    if happened.size:
        parts.append(f"first by {happened[0]:.1f} s, last by {happened[-1]:.1f} s")
    if dead.any():
        since = series.time_s[np.argmax(dead)]
        held = f"to the end ({series.time_s[-1]:.1f} s)" if dead[np.argmax(dead) :].all() else "not for good"
        parts.append(f"hopeless by {since:.1f} s, {held}")
    else:
        parts.append(f"never hopeless, count at most {int(series.kswapd_failures[:, nid].max())}")
    return ", ".join(parts)
