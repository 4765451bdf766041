"""The self-contained HTML report: the answer, the tables, the episodes over time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ..metrics import describe
from ..results import Results, ScenarioResults
from ..series import Series
from ..wording import compact, with_interval
from . import charts
from .findings import answer, stories
from .tables import OVERVIEW, shown_metrics

GROUP_TITLES = {
    "kswapd": "kswapd",
    "reclaim": "Reclaim",
    "refault": "Refaults",
    "jobs": "Jobs",
    "stalls": "Stalls and kills",
    "pressure": "Pressure",
    "resets": "Resets of kswapd_failures",
    "hopeless": "Hopeless time",
    "cost": "Cost in lost seconds",
}


@dataclass(frozen=True)
class Table:
    """One metric: rules as rows."""

    title: str
    unit: str
    rows: tuple[
        tuple[str, str, tuple[tuple[str, str], ...]], ...
    ]  # rule, mean, per baseline: difference, share


@dataclass(frozen=True)
class Matrix:
    """Means of one node, cgroup or job: metrics as rows, rules as columns."""

    title: str
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]  # metric, unit, a mean for each rule


def template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("experiments"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def render(results: Results, made: Sequence[tuple[str, str]] = ()) -> str:
    """made: what, and words, of how the numbers came about."""
    sections = [_section(found, f"s{index}") for index, found in enumerate(results.scenarios)]
    return template("report.html.j2").render(
        results=results, overall=over_families(results), sections=sections, made=made
    )


def over_families(results: Results) -> list[tuple[str, str, str, str]]:
    """Rule, its mean over all families with the interval, the largest of one family, and which that is."""
    return [
        (one.rule, with_interval(*vars(one.relative).values()), compact(one.worst), one.worst_family)
        for one in results.overall
    ]


def _section(found: ScenarioResults, prefix: str) -> dict[str, object]:
    overview = [metric for metric, _ in OVERVIEW if found.is_defined(metric)]
    return {
        "found": found,
        "answer": answer(found),
        "overview_heads": [(metric, describe(metric).unit) for metric in overview],
        "overview": [(rule, [interval(found, rule, metric) for metric in overview]) for rule in found.rules],
        "stories": stories(found),
        "groups": list(_groups(found)),
        "matrices": list(_matrices(found)),
        **_figures(found, prefix),
    }


def interval(found: ScenarioResults, rule: str, metric: str) -> tuple[str, str]:
    """The mean, and its interval in words."""
    mean = found.mean(rule, metric)
    return compact(mean.mean), _between(mean.lo, mean.hi)


def _between(lo: float | None, hi: float | None) -> str:
    return "" if lo is None or hi is None or lo == hi else f"{compact(lo)}, {compact(hi)}"


def _groups(found: ScenarioResults) -> Iterator[tuple[str, list[Table]]]:
    names = shown_metrics(found)
    for group, title in GROUP_TITLES.items():
        tables = [_table(found, name) for name in names if describe(name).group == group]
        if tables:
            yield title, tables


def _table(found: ScenarioResults, name: str) -> Table:
    rows = []
    for rule in found.rules:
        mean, spread = interval(found, rule, name)
        gaps = tuple(_gap(found, rule, baseline, name) for baseline in found.baselines)
        rows.append((rule, f"{mean} [{spread}]" if spread else mean, gaps))
    return Table(name, describe(name).unit, tuple(rows))


def _gap(found: ScenarioResults, rule: str, baseline: str, name: str) -> tuple[str, str]:
    """The difference with its interval, and the share of seeds where the rule is lower."""
    if rule == baseline:
        return "", ""
    gap = found.difference(rule, baseline, name)
    if gap.diff is None or gap.p_improve is None:
        return "n/a", ""
    spread = _between(gap.lo, gap.hi)
    return f"{compact(gap.diff)} [{spread}]" if spread else compact(gap.diff), f"{100 * gap.p_improve:.0f} %"


def _matrices(found: ScenarioResults) -> Iterator[Matrix]:
    scopes = dict.fromkeys(name.rpartition("/")[0] for name in found.metrics if "/" in name)
    for scope in scopes:
        names = [name for name in found.metrics if name.rpartition("/")[0] == scope]
        rows = tuple(
            (name.rpartition("/")[2], describe(name).unit, _means(found, name))
            for name in names
            if any(found.mean(rule, name).mean for rule in found.rules)
        )
        yield Matrix(scope.replace("node", "node ").replace("/", " ", 1), rows)


def _means(found: ScenarioResults, name: str) -> tuple[str, ...]:
    return tuple(compact(found.mean(rule, name).mean) for rule in found.rules)


def _figures(found: ScenarioResults, prefix: str) -> dict[str, object]:
    if not found.series:
        return {"legend": [], "figures": [], "nodes_shown": ()}
    scales = charts.Scales.of(found)
    figures = [
        (
            rules,
            charts.timeline(series, scales, f"{found.name} under {rules} over time", f"{prefix}f{index}-"),
        )
        for index, (rules, series) in enumerate(_distinct(found))
    ]
    return {"legend": list(charts.legend(scales)), "figures": figures, "nodes_shown": scales.nodes}


def _distinct(found: ScenarioResults) -> list[tuple[str, Series]]:
    """Rules whose first episode is the same to the last bit share a picture."""
    alike: dict[bytes, list[str]] = {}
    for rule, series in found.series.items():
        alike.setdefault(series.to_bytes(), []).append(rule)
    return [(", ".join(rules), found.series[rules[0]]) for rules in alike.values()]
