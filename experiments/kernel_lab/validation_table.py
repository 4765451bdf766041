"""The comparison of kernel and model for a terminal of 80 columns."""

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len

from ..reporting.tables import WIDTH, paragraph
from ..wording import compact, fitted, with_interval
from .validate import WITHIN, Pair, Ratio, Validation

NAME_WIDTH, INTERVAL_WIDTH, CELL_WIDTH = 22, 21, 10

# What no figure of the lab says about a server.
LIMITS = (
    "emulated CPUs, 10 to 20 times slower than hardware, while the disk is throttled to a real one's pace: "
    "the ratio of CPU to I/O is not a server's, and throughput follows the host's noise",
    "nodes of 768 MiB, 1/167 of the incident's, one CPU each",
    "Linux 6.12 and classic LRU lists; of later kernels only the free-path reset, as a switch",
)


def render(found: Validation, nr_failed: int = 0, calibration: str | None = None) -> str:
    lines = [*_summary(found, nr_failed, calibration), ""]
    for scenario, ratios in groupby(found.ratios, lambda ratio: ratio.scenario):
        pairs = [pair for pair in found.pairs if pair.scenario == scenario]
        lines += [*_scenario(scenario, pairs, list(ratios)), ""]
    return "\n".join(lines)


def _summary(found: Validation, nr_failed: int, calibration: str | None) -> list[str]:
    significant = found.significant
    agreeing = sum(bool(pair.agree) for pair in significant)
    share = "n/a" if found.sign_agreement is None else f"{found.sign_agreement:.1%}"
    within = [ratio.is_within for ratio in found.ratios if ratio.is_within is not None]
    lines = [
        *paragraph(f"Kernel and model: {share} of the signs agree, {agreeing} of the {len(significant)} "
                   f"differences between rules that the kernel itself shows (of {len(found.pairs)})."),
        *paragraph("Undecided: the kernel's 95 % interval includes zero."),
        *paragraph(f"Ratios model / kernel within {WITHIN:g} times: {sum(within)} of {len(within)}."),
        *paragraph(f"Runs that failed and are left out: {nr_failed}."),
    ]  # fmt: skip
    if calibration is not None:
        lines += paragraph(f"Costs of the model: {calibration}")
    lines += ["Limits:"]
    for limit in LIMITS:
        lines += paragraph(limit, indent="  ")
    return lines


def _scenario(name: str, pairs: Sequence[Pair], ratios: Sequence[Ratio]) -> list[str]:
    lines = [fitted(name, WIDTH).rstrip(), "=" * WIDTH, *_disagreements(pairs), ""]
    zero: list[str] = []
    undefined: list[str] = []
    for metric, rows in groupby(ratios, lambda ratio: ratio.metric):
        block = list(rows)
        if all(row.kernel is None and row.model is None for row in block):
            undefined.append(metric)
        elif all(not row.kernel and not row.model for row in block):
            zero.append(metric)
        else:
            lines += [*_block(metric, block), ""]
    for words, names in (("Zero on both sides", zero), ("Undefined on both sides", undefined)):
        if names:
            lines += [*paragraph(f"{words}: {', '.join(names)}."), ""]
    return lines[:-1]


def _disagreements(pairs: Sequence[Pair]) -> list[str]:
    wrong = [pair for pair in pairs if pair.agree is False]
    shown = sum(pair.agree is not None for pair in pairs)
    lines = [f"{shown - len(wrong)} of {shown} signs agree."]
    for pair in wrong:
        lines += paragraph(
            f"{pair.metric}, {pair.a} - {pair.b}: kernel {compact(pair.kernel)}, model {compact(pair.model)}",
            indent="  ",
        )
    return lines


def _block(metric: str, rows: Sequence[Ratio]) -> list[str]:
    heads = f"{'kernel':>{INTERVAL_WIDTH}}{'model':>{CELL_WIDTH}}{'ratio':>{CELL_WIDTH}}"
    if cell_len(metric) <= NAME_WIDTH:
        lines = [fitted(metric, NAME_WIDTH) + heads]
    else:
        lines = [fitted(metric, WIDTH).rstrip(), " " * NAME_WIDTH + heads]
    for row in rows:
        kernel = with_interval(row.kernel, row.lo, row.hi)
        mark = "  !" if row.is_within is False else ""
        lines.append(
            fitted(f"  {row.rule}", NAME_WIDTH)
            + f"{kernel:>{INTERVAL_WIDTH}}{compact(row.model):>{CELL_WIDTH}}{_ratio(row):>{CELL_WIDTH}}{mark}"
        )
    return lines


def _ratio(row: Ratio) -> str:
    return "n/a" if row.ratio is None else compact(row.ratio)
