"""What trained agents are worth: `python -m experiments.benchmark.claims [RUN VARIED]`.

Without folders it prints the page of the recorded rows; with two it records the rows of these runs first: one
on all families, and one with prices that vary.
Costs are over the family's scale, the mean cost of the worse of `always` and `balanced` on other seeds.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reclaim_env.reset_rules import RULES

from .. import verdicts
from ..stats import UNDEFINED_MEAN, Mean, means
from ..verdicts import ERROR_RATIO, MARGIN_RATIO
from ..wording import compact, with_interval
from . import records
from .frame import FamilyCosts, Frame
from .page import short, table

FOLDER = Path(__file__).parents[1] / "results" / "learning"
ROWS, VARIED_ROWS = FOLDER / "rows.parquet", FOLDER / "varied.parquet"
STATE_DEPENDENT = ("mixture", "stream_onoff")  # and those with varied prices: no rule is right all the time
NEAR = 0.05  # of the scale: as good as the best rule, and never worse on families nobody trained on


@dataclass(frozen=True)
class Standing:
    """One agent on one family; costs over the scale."""

    stem: str
    agent: float
    balanced: float
    best: float
    best_rule: str  # chosen on these very seeds: a rule nobody could have known beforehand
    excess_bound: float  # agent - balanced, upper end of the one-sided 95 % interval
    over_safe: float  # agent - the better of `balanced` and `never`

    @property
    def is_non_inferior(self) -> bool:
        return self.excess_bound <= MARGIN_RATIO


def agents(frame: Frame) -> list[str]:
    return [name for name in frame.contenders if name not in RULES]


def rules(frame: Frame) -> list[str]:
    return [name for name in frame.contenders if name in RULES]


def standing(frame: Frame, stem: str, agent: str) -> Standing:
    found = frame.families[stem]
    mean = {name: float(costs.mean()) / found.scale_s for name, costs in found.costs_s.items()}
    best = min(rules(frame), key=lambda name: mean[name])
    safe = min(mean["balanced"], mean["never"])
    bound = _upper_bound(found, agent)
    return Standing(stem, mean[agent], mean["balanced"], mean[best], best, bound, mean[agent] - safe)


def _upper_bound(found: FamilyCosts, agent: str) -> float:
    """Student's one-sided bound of the paired difference to `balanced`, over the scale."""
    from scipy.special import stdtrit

    gap = (found.costs_s[agent] - found.costs_s["balanced"]) / found.scale_s
    half = float(stdtrit(len(gap) - 1, 1.0 - ERROR_RATIO)) * gap.std(ddof=1) / np.sqrt(len(gap))
    return float(gap.mean() + half)


def render(frame: Frame, varied: Frame) -> str:
    names = agents(frame)
    of = {name: [standing(frame, stem, name) for stem in frame.families] for name in names}
    parts = [_head(frame, varied, names), "## Over all families\n", _overall(frame)]
    parts += ["## Against what was wanted\n", _claims(frame, of)]
    parts += ["## What clearing can gain\n", _clearing(frame, names)]
    parts += ["## Where the state decides\n", _state_dependent(frame, varied)]
    parts += ["## Family by family\n", _families(frame, of)]
    return "\n".join(parts)


def _head(frame: Frame, varied: Frame, names: Sequence[str]) -> str:
    return f"""# Trained agents on families they have not seen

{len(names)} agents, {len(frame.families)} families of the test
and transfer splits, {frame.nr_seeds} paired seeds each; kernel {frame.setting.kernel}, cost weights
{frame.setting.weights}, families frozen as {frame.families_hash}.
What it means stands in [FINDINGS.md](FINDINGS.md).

    {frame.command}
    {varied.command}
    python -m experiments.benchmark.claims RUN VARIED > experiments/results/learning/README.md

Costs are over the family's scale: the mean cost of the worse of `always` and `balanced` on other seeds.
"""


def _overall(frame: Frame) -> str:
    rows = []
    for name in sorted(frame.contenders, key=lambda name: frame.relative(name).mean or 0.0):
        mean, (stem, worst) = frame.relative(name), frame.worst(name)
        rows.append(
            [f"`{name}`", with_interval(mean.mean, mean.lo, mean.hi), compact(worst), short(stem or "")]
        )
    best = np.mean([standing(frame, stem, rules(frame)[0]).best for stem in frame.families])
    note = f"\nThe best rule of each family, chosen afterwards on these seeds, would cost {best:.3f}.\n"
    return table(["", "mean over families [95 %]", "worst", "where"], rows) + note


def _claims(frame: Frame, of: dict[str, list[Standing]]) -> str:
    best = best_rule(frame)
    heads = [
        "agent",
        "non-inferior to `balanced`",
        f"less than `{best}`, the best rule",
        "near the best of each",
        "worst on transfer",
        "of what clearing can gain",
    ]
    rows = []
    for name, found in of.items():
        transfer = [one for one in found if "split=transfer" in one.stem]
        worst = max(transfer, key=lambda one: one.over_safe)
        gain, share = _gain(frame.families, name, best), clearing_share(frame, name)
        rows.append(
            [
                f"`{name}`",
                f"{sum(one.is_non_inferior for one in found)} of {len(found)}",
                with_interval(gain.mean, gain.lo, gain.hi),
                f"{sum(one.agent <= one.best + NEAR for one in found)} of {len(found)}",
                f"{worst.over_safe:+.3f} {short(worst.stem)}",
                with_interval(share.mean, share.lo, share.hi),
            ]
        )
    nr_searched = sum(len(one.clearing_s) > 0 for one in frame.families.values())
    notes = f"""
Non-inferior: the one-sided 95 % bound of the paired difference is at most {MARGIN_RATIO:.2f} of the scale.
Near: at most {NEAR:.2f} above the rule that is best in that family, chosen on these seeds.
Transfer: above the better of `balanced` and `never`; {NEAR:.2f} was allowed.
Of what clearing can gain: what the agent saves over `balanced`, of what a search saves that knows the
machine, draws the future anew, and may do what an agent may: clear the count at progress, or keep it.
It was asked in {nr_searched} families, in which the oracle is shown to leave more than 2 % of the scale
above the best rule.
"""
    return table(heads, rows) + notes


def best_rule(frame: Frame) -> str:
    """The one rule with the lowest mean over families."""
    return min(rules(frame), key=lambda name: frame.relative(name).mean or 0.0)


def _gain(families: Mapping[str, FamilyCosts], agent: str, rule: str) -> Mean:
    """Mean over families of rule - agent, over the scale."""
    return verdicts.mean_over_families(
        {
            stem: (found.costs_s[rule] - found.costs_s[agent]) / found.scale_s
            for stem, found in families.items()
        }
    )


def clearing_share(frame: Frame, agent: str) -> Mean:
    """Of what a search without foresight that clears or keeps saves over `balanced`, what the agent saves."""
    gained, possible = [], []
    for found in frame.families.values():
        nr = len(found.clearing_s)
        balanced_s = found.costs_s["balanced"][:nr]
        gained.append((balanced_s - found.costs_s[agent][:nr]) / found.scale_s)
        possible.append((balanced_s - found.clearing_s) / found.scale_s)
    whole = np.concatenate(possible)
    return verdicts.share(np.concatenate(gained), whole) if len(whole) > 1 else UNDEFINED_MEAN


def _clearing(frame: Frame, names: Sequence[str]) -> str:
    """Family by family, what the clearing search and each agent save over `balanced`, over the scale."""
    rows = []
    for stem, found in frame.families.items():
        if nr := len(found.clearing_s):
            saved = {name: found.costs_s["balanced"][:nr] - found.costs_s[name][:nr] for name in names}
            saved = {"search": found.costs_s["balanced"][:nr] - found.clearing_s, **saved}
            gains = [means(one[:, None] / found.scale_s)[0] for one in saved.values()]
            cells = [with_interval(gain.mean, gain.lo, gain.hi) for gain in gains]
            rows.append([short(stem), f"{nr}", *cells])
    heads = ["saved over `balanced` [95 %]", "seeds", "search", *(f"`{name}`" for name in names)]
    return table(heads, rows)


def _state_dependent(frame: Frame, varied: Frame) -> str:
    """What each agent saves over the best single rule, pair by pair."""
    best, names = best_rule(frame), agents(frame)
    chosen = {s: found for s, found in frame.families.items() if s.partition("/")[0] in STATE_DEPENDENT}
    chosen |= varied.families
    parts = {_with_prices(stem): {stem: found} for stem, found in chosen.items()} | {"mean": chosen}
    rows = []
    for label, families in parts.items():
        costs = [float(found.costs_s[best].mean()) / found.scale_s for found in families.values()]
        gains = [_gain(families, name, best) for name in names]
        cells = [with_interval(gain.mean, gain.lo, gain.hi) for gain in gains]
        rows.append([label, f"{np.mean(costs):.3f}", *cells])
    heads = ["family", f"`{best}`", *(f"less by `{name}` [95 %]" for name in names)]
    return table(heads, rows)


def _with_prices(stem: str) -> str:
    return short(stem.replace("prices=varied&", "")) + (", varied prices" if "prices=varied" in stem else "")


def _families(frame: Frame, of: dict[str, list[Standing]]) -> str:
    names = list(of)
    rows = []
    for index, stem in enumerate(frame.families):
        each = [of[name][index] for name in names]
        costs = [f"{one.agent:.3f}{'' if one.is_non_inferior else ' (!)'}" for one in each]
        first = each[0]
        rows.append([short(stem), f"{first.balanced:.3f}", f"{first.best:.3f} `{first.best_rule}`", *costs])
    heads = ["family", "`balanced`", "best rule", *(f"`{name}`" for name in names)]
    return table(heads, rows) + "\n(!) not shown to be non-inferior to `balanced`.\n"


def recorded() -> str:
    """The page of the rows that are kept."""
    return render(records.read(ROWS), records.read(VARIED_ROWS))


if __name__ == "__main__":
    for folder, path in zip(sys.argv[1:], (ROWS, VARIED_ROWS), strict=False):
        records.export(Path(folder), path)
    sys.stdout.write(recorded())
