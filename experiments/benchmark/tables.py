"""What an evaluation found, in 80 columns: family by family first, the worst beside the mean."""

from ..reporting.tables import RULE_WIDTH, WIDTH, paragraph
from ..results import BASELINES
from ..verdicts import MARGIN_RATIO, Verdict
from ..wording import compact, fitted, with_interval
from .admission import Admission
from .frame import FamilyCosts, Frame

CELL_WIDTH = 20
WORD_WIDTH = 12
SCORE_WIDTH = WIDTH - RULE_WIDTH - CELL_WIDTH - 1 - WORD_WIDTH * len(BASELINES)


def render(frame: Frame) -> str:
    lines = paragraph(
        f"{len(frame.families)} families, {frame.nr_seeds} paired seeds each, kernel {frame.setting.kernel}, "
        f"cost weights {frame.setting.weights}, families frozen as {frame.families_hash}. Cost in lost "
        f"seconds of an episode, mean [95 %]. Score: 0 at the worse of {' and '.join(BASELINES)}, 100 at the "
        "oracle, n/a where that gap may be none. Verdicts: exact paired test, Holm over the families; "
        f"equivalent: within {MARGIN_RATIO:.0%} of the family's scale."
    )
    for stem in frame.families:
        lines += ["", *_family(frame, stem)]
    return "\n".join([*lines, "", *_overall(frame)]) + "\n"


def _family(frame: Frame, stem: str) -> list[str]:
    found = frame.families[stem]
    lines = [*paragraph(stem), "=" * WIDTH]
    heads = f"{'cost s':>{CELL_WIDTH}} {'score':>{SCORE_WIDTH}}"
    lines.append(" " * RULE_WIDTH + heads + "".join(f" {f'to {b}':>{WORD_WIDTH - 1}}" for b in BASELINES))
    for name in found.costs_s:
        mean = frame.means[stem][name]
        score = frame.scores[name][stem]
        cells = f"{with_interval(mean.mean, mean.lo, mean.hi):>{CELL_WIDTH}} {score!s:>{SCORE_WIDTH}}"
        words = [frame.verdicts[name][b][stem] if b != name else None for b in BASELINES]
        lines.append(
            fitted(name, RULE_WIDTH) + cells + "".join(f" {_word(w):>{WORD_WIDTH - 1}}" for w in words)
        )
    if len(found.oracle_s):
        lines += paragraph(_ceiling(found))
    return [line.rstrip() for line in lines]


def _ceiling(found: FamilyCosts) -> str:
    nr, best = len(found.oracle_s), found.best_beside_oracle
    best_s = float(found.costs_s[best][:nr].mean())
    return (
        f"oracle {compact(float(found.oracle_s.mean()))} over {nr} seeds, where the best, {best}, has "
        f"{compact(best_s)}; no plan below {compact(float(found.bound_s.mean()))}, every plan tried in "
        f"{100 * found.exact_ratio:.0f} %; by foresight: {foresight(found)}"
    )


def foresight(found: FamilyCosts) -> str:
    """Of what the oracle saves over the best rule: per cent, with its interval."""
    if not found.is_open:
        return "no gap"
    share = found.foresight
    if share.mean is None or share.lo is None or share.hi is None:
        return "n/a"
    return f"{100 * share.mean:.0f} % [{100 * share.lo:.0f},{100 * share.hi:.0f}]"


def _word(verdict: Verdict | None) -> str:
    return "" if verdict is None else verdict.word


def _overall(frame: Frame) -> list[str]:
    lines = paragraph(
        "Mean over families of cost over the family's scale [95 %, every family resampled alone], and the "
        "family where that is largest. The scale is the mean cost of the worse baseline on other seeds"
    )
    for name in frame.contenders:
        mean = frame.relative(name)
        stem, worst = frame.worst(name)
        room = WIDTH - RULE_WIDTH - CELL_WIDTH - 9
        cell = with_interval(mean.mean, mean.lo, mean.hi)
        lines.append(
            f"{fitted(name, RULE_WIDTH)} {cell:>{CELL_WIDTH}} {compact(worst):>6} {(stem or 'n/a')[:room]}"
        )
    return lines


def render_admissions(found: dict[str, Admission]) -> str:
    """One line a family."""
    lines = paragraph(
        "Share of steps whose bit changes the episode's cost by more than 5 ms, along balanced and along "
        "always; the best rule, and what it costs less than balanced [95 %, on other seeds]"
    )
    for stem, one in found.items():
        shares = f"{one.authority_balanced:5.2f} {one.authority_always:5.2f}"
        gap = with_interval(one.gap_s, one.gap_lo, one.gap_hi)
        lines.append(f"{fitted(stem, 30)} {shares} {fitted(one.best_rule, 15)} {gap:>20}".rstrip())
    return "\n".join(lines) + "\n"
