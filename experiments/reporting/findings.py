"""Plain sentences from the counters: what the rule did to the jobs, who reset the count, and when."""

import numpy as np

from reclaim_env.model.constants import REASONS

from ..results import BASELINES, ScenarioResults
from ..series import Series
from ..wording import compact, with_unit

MENTIONED_PERCENT = 0.1  # a job's smaller change is counted and not named

REASON_WORDS = {
    "kswapd": "kswapd",
    "global_direct": "the allocator's direct reclaim",
    "memcg_high": "memory.high reclaim",
    "memcg_max": "memory.max reclaim",
    "proactive": "proactive reclaim",
    "free_path": "the page-free path",
    "other": "a probe without progress, or demotion switched on",
}


def answer(found: ScenarioResults) -> list[str]:
    """Three sentences: the jobs if there are any, the statistics asked for, the price where it is defined."""
    if found.baselines != BASELINES:
        return [f"Without boots of both {' and '.join(BASELINES)} there is no verdict."]
    price = [_price(found)] if found.is_defined("cost_s") else []
    jobs = [_jobs(found)] if found.workloads else []
    return [*jobs, _statistics(found), *price]


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
    moved = sorted((one for one in changes if abs(one[1]) >= MENTIONED_PERCENT), key=lambda one: -abs(one[1]))
    said = [f"{name} {change:+.1f} %" for name, change in moved]
    if len(moved) < len(changes):
        said.append(f"{len(changes) - len(moved)} of {len(changes)} by less than {MENTIONED_PERCENT} %")
    return f"From {old} to {new} the jobs' throughput changes: {', '.join(said)}."


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
    rules = [rule for rule in found.rules if rule not in found.searches]
    ranked = sorted((mean, rule) for rule in rules if (mean := found.mean(rule, "cost_s").mean) is not None)
    old, new = BASELINES
    gap = found.difference(new, old, "cost_s")
    cheapest = [rule for mean, rule in ranked if mean == ranked[0][0]]
    who = "all rules alike" if len(cheapest) == len(rules) else ", ".join(cheapest)
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


def stories(found: ScenarioResults) -> list[tuple[str, list[str]]]:
    """Rules of which the same can be said, together, in the order of the first."""
    told: dict[tuple[str, ...], list[str]] = {}
    for rule in found.rules:
        if sentences := who_reset(found, rule):
            told.setdefault(tuple(sentences), []).append(rule)
    return [(", ".join(rules), list(sentences)) for sentences, rules in told.items()]


def who_reset(found: ScenarioResults, rule: str) -> list[str]:
    """One sentence per node: resets by reason over all seeds, then what the first seed's clock says."""
    nodes = sorted({metric.split("/")[0] for metric in found.metrics if metric.startswith("node")})
    return [_node_story(found, rule, nid) for nid in range(len(nodes))]


def _node_story(found: ScenarioResults, rule: str, nid: int) -> str:
    story = f"node {nid}: {_by_whom(found, rule, f'node{nid}/')}"
    series = found.series.get(rule)
    if series is not None:
        story += f"; {', '.join([*_reset_times(series, nid), _hopeless_times(found, rule, series, nid)])}"
    return story + "."


def _by_whom(found: ScenarioResults, rule: str, prefix: str) -> str:
    total = found.mean(rule, f"{prefix}resets").mean
    if not total:
        return "no reset"
    shares = [(found.mean(rule, f"{prefix}resets_{reason}").mean or 0.0, reason) for reason in REASONS]
    by = [f"{REASON_WORDS[r]} {100 * n / total:.0f} %" for n, r in sorted(shares, reverse=True) if n]
    said = f"{with_unit(total, 'resets')} by {', '.join(by)}"
    revivals = sum(found.mean(rule, f"{prefix}revivals_{reason}").mean or 0.0 for reason in REASONS)
    return f"{said}; {compact(revivals)} of them revived a hopeless node" if revivals else said


def _reset_times(series: Series, nid: int) -> list[str]:
    """When, in the first seed's episode."""
    stalled = np.flatnonzero(np.diff(series.allocstall[:, nid]) > 0)
    happened = np.flatnonzero(series.new_resets()[:, nid].sum(axis=-1) > 0)
    said = []
    if stalled.size:
        said.append(f"first direct reclaim by {series.time_s[stalled[0] + 1]:.1f} s")
    if happened.size == 1:
        said.append(f"reset by {series.time_s[happened[0] + 1]:.1f} s")
    elif happened.size:
        first, last = series.time_s[happened[[0, -1]] + 1]
        said.append(f"first reset by {first:.1f} s, last by {last:.1f} s")
    return said


def _hopeless_times(found: ScenarioResults, rule: str, series: Series, nid: int) -> str:
    dead = series.hopeless()[:, nid]
    since_s, fruitless_s = (
        found.values[rule][0, found.column(f"node{nid}/{name}")]
        for name in ("first_hopeless_s", "first_fruitless_s")
    )
    if np.isnan(since_s):
        seen, every_s = int(series.kswapd_failures[:, nid].max()), np.median(series.interval_s)
        return f"never hopeless, count at most {seen} when looked at every {every_s:.1g} s"
    said = "hopeless from the start" if dead[0] else f"hopeless from {since_s:.2f} s"
    if not dead[0] and fruitless_s <= since_s:
        said += f", {since_s - fruitless_s:.2f} s after its first fruitless run"
    alive = np.flatnonzero(~dead & (series.time_s > since_s))
    if not alive.size:
        return f"{said}, to the end"
    total_s = found.values[rule][0, found.column(f"node{nid}/hopeless_s")]
    return f"{said}, until {series.time_s[alive[0]]:.1f} s ({total_s:.2f} s in all)"
