"""The page of the recorded evaluation: `python -m experiments.benchmark.page [RUN]`.

Without a folder it prints the page of the recorded rows; with one it records the rows of that run first.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..results import BASELINES
from ..wording import compact, with_interval
from . import records
from .frame import Frame
from .run import NR_UNSEEING_SEEDS
from .tables import foresight

FOLDER = Path(__file__).parents[1] / "results" / "families"
ROWS = FOLDER / "rows.parquet"
COLUMNS = 5  # rules side by side


def render(frame: Frame) -> str:
    parts = [_head(frame), "## Over all families\n", _overall(frame)]
    if any(len(found.oracle_s) for found in frame.families.values()):
        parts += ["## What the oracle leaves above the rules, on the seeds it has\n", _ceilings(frame)]
    for title, cell in (
        ("Cost in lost seconds of an episode, mean [95 %]", _cost),
        (f"Score: 0 at the worse of {' and '.join(BASELINES)}, 100 at the oracle", _score),
        ("Verdict against `balanced`", _verdict),
    ):
        parts += [f"## {title}\n", *_tables(frame, cell)]
    return "\n".join(parts) + "\n"


def _head(frame: Frame) -> str:
    searched = max(len(found.oracle_s) for found in frame.families.values())
    return f"""# Rules on families of scenarios

{len(frame.families)} families, {frame.nr_seeds} paired seeds each, the oracle on the first {searched};
kernel {frame.setting.kernel}, cost weights {frame.setting.weights}, families frozen as {frame.families_hash}.
What was found stands in [FINDINGS.md](FINDINGS.md); what each family tells, in `reclaim_env/families/*.toml`.

    {frame.command}
    python -m experiments.benchmark.page RUN > experiments/results/families/README.md

Intervals are bootstrapped over the seeds. A family's scale is the mean cost of the worse of `always` and
`balanced` on other seeds. Verdicts: exact paired test, Holm over the families; `equivalent`: within 2 % of
the scale. The oracle has seen the future: its cost is a ceiling that no rule can be expected to reach. Where
its search was cut off, it is not the best there is: no plan of its choices costs less than the bound beside
it. A score is n/a where the gap between its anchors may be none. Foresight: what the oracle saves over a
search that knows the machine and draws the future anew, of what it saves over the best rule; asked where that
is shown to be more than 2 % of the scale, on at most {NR_UNSEEING_SEEDS} seeds. "Best of each seed" is what a
rule would cost that knew on every machine which of these rules to be.
"""


def _overall(frame: Frame) -> str:
    rows = []
    for name in frame.contenders:
        mean = frame.relative(name)
        stem, worst = frame.worst(name)
        interval = with_interval(mean.mean, mean.lo, mean.hi)
        rows.append([f"`{name}`", interval, compact(worst), f"`{short(stem or 'n/a')}`"])
    return table(["rule", "cost over scale, mean over families", "worst", "where"], rows)


def _tables(frame: Frame, cell: Callable[[Frame, str, str], str]) -> list[str]:
    """As many tables as it takes, of a few rules each."""
    names = frame.contenders
    found = []
    for start in range(0, len(names), COLUMNS):
        chosen = names[start : start + COLUMNS]
        rows = [
            [f"`{short(stem)}`", *(cell(frame, stem, name) for name in chosen)] for stem in frame.families
        ]
        found.append(table(["family", *(f"`{name}`" for name in chosen)], rows))
    return found


def _cost(frame: Frame, stem: str, name: str) -> str:
    mean = frame.means[stem][name]
    return with_interval(mean.mean, mean.lo, mean.hi)


def _score(frame: Frame, stem: str, name: str) -> str:
    return str(frame.scores[name][stem])


def _verdict(frame: Frame, stem: str, name: str) -> str:
    return "" if name == "balanced" else frame.verdicts[name]["balanced"][stem].word


def _ceilings(frame: Frame) -> str:
    """Mean costs over the oracle's seeds; the best rule is chosen on them, afterwards, or on each of them."""
    rows = []
    for stem, found in frame.families.items():
        nr = len(found.oracle_s)
        if nr == 0:
            continue
        best, cheapest_s = found.best_beside_oracle, np.min(list(found.costs_s.values()), axis=0)
        costs = (found.costs_s["balanced"], found.costs_s[best], cheapest_s, found.oracle_s, found.bound_s)
        merged, rule, chosen, oracle, bound = (compact(float(one[:nr].mean())) for one in costs)
        cells = [f"`{short(stem)}`", str(nr), merged, rule, f"`{best}`", chosen, oracle, bound]
        rows.append([*cells, f"{100 * found.exact_ratio:.0f} %", foresight(found)])
    heads = ["family", "seeds", "`balanced`", "best rule", "which", "best of each seed"]
    return table([*heads, "oracle", "no plan below", "every plan tried", "foresight"], rows)


def short(stem: str) -> str:
    return stem.replace("?split=test", "").replace("?split=transfer", " (transfer)")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def recorded() -> str:
    """The page of the rows that are kept."""
    return render(records.read(ROWS))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        records.export(Path(sys.argv[1]), ROWS)
    sys.stdout.write(recorded())
