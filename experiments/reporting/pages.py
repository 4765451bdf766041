"""The same results as Markdown, and as plain text for a mailing list: at most 75 columns of ASCII."""

from collections.abc import Sequence
from textwrap import wrap

from ..metrics import describe
from ..results import Results, ScenarioResults
from ..wording import compact, visible, with_interval
from .findings import answer
from .report import over_families
from .tables import OVERVIEW

MAIL_WIDTH = 75
MAIL_COLUMNS = (
    ("kswapd_cpu_s", "kswapd"),
    ("refault_mib_per_s", "refault"),
    ("stall_s", "stall"),
    ("allocstall", "allocst"),
)

OVERALL_CAPTION = (
    "Mean over families of cost over the family's scale, each family resampled alone, and the family where "
    "that is largest. The scale is the mean cost of the worse of always and balanced, on other seeds."
)

Made = Sequence[tuple[str, str]]  # what, words: how the numbers came about


def markdown(results: Results, made: Made) -> str:
    lines = [f"# {visible(' '.join(results.command.split()[:2]))}", "", *_markdown_overall(results)]
    for found in results.scenarios:
        lines += [f"## {visible(found.name)}", "", visible(found.description), ""]
        lines += [sentence + "\n" for sentence in answer(found)]
        lines += [*_markdown_table(found), ""]
    lines += [
        "## How these numbers were made",
        "",
        *(f"* **{what}**: {visible(words)}" for what, words in made),
    ]
    return "\n".join(lines) + "\n"


def _markdown_overall(results: Results) -> list[str]:
    if not results.overall:
        return []
    heads = ["## Over all families", "", "| rule | cost over scale | worst | in |", "|---|---:|---:|---|"]
    rows = [
        f"| `{visible(rule)}` | {mean} | {worst} | `{visible(family)}` |"
        for rule, mean, worst, family in over_families(results)
    ]
    return [*heads, *rows, "", OVERALL_CAPTION, ""]


def _markdown_table(found: ScenarioResults) -> list[str]:
    metrics = [metric for metric, _ in OVERVIEW if found.is_defined(metric)]
    heads = [f"{metric} ({describe(metric).unit})" for metric in metrics]
    heads += [f"cost minus {baseline}" for baseline in found.baselines]
    lines = ["| rule | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for rule in found.rules:
        cells = [_mean(found, rule, metric) for metric in metrics]
        cells += [_gap(found, rule, baseline) for baseline in found.baselines]
        lines.append(f"| `{visible(rule)}` | " + " | ".join(cells) + " |")
    return lines


def _mean(found: ScenarioResults, rule: str, metric: str) -> str:
    mean = found.mean(rule, metric)
    return with_interval(mean.mean, mean.lo, mean.hi)


def _gap(found: ScenarioResults, rule: str, baseline: str) -> str:
    if rule == baseline:
        return ""
    gap = found.difference(rule, baseline, "cost_s")
    return with_interval(gap.diff, gap.lo, gap.hi)


def mail(results: Results, made: Made) -> str:
    """For a kernel list: the command first, one table a scenario, then the method and its limits."""
    lines = [f"$ {line}" if not i else f"    {line}" for i, line in enumerate(_wrapped(results.command, 8))]
    lines += [
        "",
        *_wrapped(
            f"Lost seconds and counters, means [95 % interval] over {results.nr_seeds} paired seeds, "
            f"{results.setting}."
        ),
    ]
    if results.overall:
        lines += ["", *_mail_overall(results)]
    for found in results.scenarios:
        lines += ["", *_mail_table(found)]
        for sentence in answer(found)[-1:]:
            lines += ["", *_wrapped(sentence)]
    for what, words in made:
        if what != "Command":
            lines += ["", *_wrapped(f"{what}: {words}")]
    return "\n".join(_ascii(line).rstrip() for line in lines) + "\n"


def _mail_overall(results: Results) -> list[str]:
    lines = ["Over all families", "-----------------", f"{'rule':<16}{'cost over scale':>22}{'worst':>9}  in"]
    for rule, mean, worst, family in over_families(results):
        lines.append(f"{_ascii(rule)[:16]:<16}{mean:>22}{worst:>9}  {_ascii(family)}"[:MAIL_WIDTH])
    return [*lines, "", *_wrapped(OVERALL_CAPTION)]


def _mail_table(found: ScenarioResults) -> list[str]:
    heads = f"{'cost s':>22}" + "".join(f"{head:>9}" for _, head in MAIL_COLUMNS)
    lines = [_ascii(found.name)[:MAIL_WIDTH], "-" * min(len(found.name), MAIL_WIDTH), f"{'rule':<16}{heads}"]
    for rule in found.rules:
        cells = "".join(f"{compact(found.mean(rule, metric).mean):>9}" for metric, _ in MAIL_COLUMNS)
        lines.append(f"{_ascii(rule)[:16]:<16}{_mean(found, rule, 'cost_s'):>22}{cells}")
    return lines


def _wrapped(text: str, indent: int = 0) -> list[str]:
    return wrap(_ascii(text), MAIL_WIDTH - indent)


def _ascii(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in " ".join(text.split(" ")))
