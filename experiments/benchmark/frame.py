"""Costs by family, contender and seed, and all that is said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reclaim_env.reset_rules import RULES

from .. import verdicts
from ..identity import Setting
from ..ledger import Row
from ..results import BASELINES
from ..stats import UNDEFINED_MEAN, Mean, differences, means
from ..verdicts import UNDEFINED_SCORE, Score, Verdict

SHOWN = (
    "cost_refault_io_s",
    "cost_kswapd_cpu_s",
    "cost_stall_s",
    "cost_oom_s",
    "allocstall",
    "hopeless_s",
    "false_dead_s",
    "false_alive_s",
)


@dataclass(frozen=True)
class FamilyCosts:
    costs_s: dict[str, np.ndarray]  # contender -> (seeds,)
    scale_s: float  # mean cost of the worse baseline, on other seeds
    metrics: dict[str, dict[str, float]]  # contender -> mean of what else was measured
    oracle_s: np.ndarray  # of the first seeds, perhaps of none
    bound_s: np.ndarray  # of the same: no plan of the oracle's choices costs less
    exact_ratio: float  # of the oracle's searches that tried every plan
    unseeing_s: np.ndarray  # of the search that may not see the future, on the first seeds
    clearing_s: np.ndarray  # of the one that besides may only clear the count or keep it

    def best(self) -> str:
        return min(self.costs_s, key=lambda name: self.costs_s[name].mean())

    @property
    def best_beside_oracle(self) -> str:
        """The cheapest rule on the oracle's seeds, chosen afterwards. What an agent solves stays open."""
        nr = len(self.oracle_s)
        rules = [name for name in self.costs_s if name.partition("?")[0] in RULES]
        return min(rules, key=lambda name: self.costs_s[name][:nr].mean())

    @property
    def is_open(self) -> bool:
        """Whether the oracle is shown to leave more than the margin of equivalence above the best rule."""
        best_s = self.costs_s[self.best_beside_oracle][: len(self.oracle_s)]
        (gap,) = differences(best_s[:, None], self.oracle_s[:, None])
        margin_s = verdicts.MARGIN_RATIO * self.scale_s
        return gap.diff is not None and gap.diff > margin_s and gap.lo is not None and gap.lo > 0

    @property
    def foresight(self) -> Mean:
        """Of what the oracle saves over the best rule, the share it saves by seeing the future."""
        nr = len(self.unseeing_s)
        if nr == 0:
            return UNDEFINED_MEAN
        best_s, oracle_s = self.costs_s[self.best_beside_oracle][:nr], self.oracle_s[:nr]
        return verdicts.share(self.unseeing_s - oracle_s, best_s - oracle_s)

    def score(self, costs_s: np.ndarray) -> Score:
        """Of (seeds,) costs, over the seeds the oracle has."""
        nr = len(self.oracle_s)
        if nr == 0:
            return UNDEFINED_SCORE
        anchors = [self.costs_s[name][:nr] for name in BASELINES]
        return verdicts.score(costs_s[:nr], anchors, self.oracle_s)


def of_rows(
    rows: Mapping[str, Sequence[Row]],
    reference: Mapping[str, Sequence[Row]],
    searched: Sequence[Row] = (),
    unseeing: Sequence[Row] = (),
    clearing: Sequence[Row] = (),
) -> FamilyCosts:
    """Rows of contenders and of the baselines on the scale's own seeds by name; the searches', by seed.

    What a rule, an agent or a search without foresight did is a plan too: where it cost less than what the
    oracle found, that counts.
    """
    costs = {name: _costs_s(found) for name, found in rows.items()}
    ceiling, unseeing_s, clearing_s = _costs_s(searched), _costs_s(unseeing), _costs_s(clearing)
    for found_s in (*costs.values(), unseeing_s, clearing_s):
        nr = min(len(found_s), len(ceiling))
        np.minimum(ceiling[:nr], found_s[:nr], out=ceiling[:nr])
    return FamilyCosts(
        costs_s=costs,
        scale_s=max(float(_costs_s(found).mean()) for found in reference.values()),
        metrics={
            name: {metric: float(np.mean([row.metrics[metric] for row in found])) for metric in SHOWN}
            for name, found in rows.items()
        },
        oracle_s=ceiling,
        bound_s=np.minimum([row.metrics["bound_s"] for row in searched], ceiling),
        exact_ratio=float(np.mean([row.metrics["is_exact"] for row in searched])) if searched else 0.0,
        unseeing_s=unseeing_s,
        clearing_s=clearing_s,
    )


def _costs_s(rows: Sequence[Row]) -> np.ndarray:
    return np.array([row.metrics["cost_s"] for row in rows])


@dataclass(frozen=True)
class Frame:
    families: dict[str, FamilyCosts]  # by stem
    nr_seeds: int
    setting: Setting
    command: str
    families_hash: str

    @property
    def contenders(self) -> tuple[str, ...]:
        return tuple(next(iter(self.families.values())).costs_s)

    @cached_property
    def means(self) -> dict[str, dict[str, Mean]]:
        """Stem -> contender -> cost."""
        return {
            stem: {name: means(costs[:, None])[0] for name, costs in found.costs_s.items()}
            for stem, found in self.families.items()
        }

    @cached_property
    def verdicts(self) -> dict[str, dict[str, dict[str, Verdict]]]:
        """Contender -> baseline -> stem. Holm counts the families of one comparison."""
        scales = {stem: found.scale_s for stem, found in self.families.items()}
        return {
            name: {
                baseline: verdicts.verdicts(self._pairs(name, baseline), scales)
                for baseline in BASELINES
                if baseline != name
            }
            for name in self.contenders
        }

    def _pairs(self, name: str, baseline: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {stem: (found.costs_s[name], found.costs_s[baseline]) for stem, found in self.families.items()}

    @cached_property
    def scores(self) -> dict[str, dict[str, Score]]:
        """Contender -> stem -> score."""
        return {
            name: {stem: found.score(found.costs_s[name]) for stem, found in self.families.items()}
            for name in self.contenders
        }

    def relative(self, name: str) -> Mean:
        """Mean over families of cost over the family's scale; each family resampled alone."""
        return self._relatives[name]

    @cached_property
    def _relatives(self) -> dict[str, Mean]:
        return {name: verdicts.mean_over_families(self._over_scale(name)) for name in self.contenders}

    def worst(self, name: str) -> tuple[str | None, float | None]:
        """The family with the largest cost over its scale, and that."""
        found = {stem: float(costs.mean()) for stem, costs in self._over_scale(name).items()}
        stem = max(found, key=lambda stem: found[stem], default=None)
        return stem, None if stem is None else found[stem]

    def _over_scale(self, name: str) -> dict[str, np.ndarray]:
        """A family where neither baseline costs anything has no scale."""
        return {
            stem: found.costs_s[name] / found.scale_s
            for stem, found in self.families.items()
            if found.scale_s > 0
        }

    def as_json(self) -> dict[str, object]:
        return {
            "families_hash": self.families_hash,
            "nr_seeds": self.nr_seeds,
            "families": {stem: self._family_as_json(stem) for stem in self.families},
            "rules": {
                name: {
                    "relative_cost": self.relative(name).as_json(),
                    "worst_family": dict(zip(("family", "relative_cost"), self.worst(name), strict=True)),
                }
                for name in self.contenders
            },
        }

    def _family_as_json(self, stem: str) -> dict[str, object]:
        found = self.families[stem]
        return {
            "scale_s": found.scale_s,
            "best_rule": found.best(),
            "oracle": _oracle_as_json(found),
            "rules": {
                name: {
                    "cost_s": self.means[stem][name].as_json(),
                    "iqm_s": verdicts.iqm(costs),
                    "score": self.scores[name][stem].as_json(),
                    **{f"vs_{b}": of[stem].as_json() for b, of in self.verdicts[name].items()},
                    **found.metrics[name],
                }
                for name, costs in found.costs_s.items()
            },
        }


def _oracle_as_json(found: FamilyCosts) -> Mapping[str, object] | None:
    if len(found.oracle_s) == 0:
        return None
    (mean,) = means(found.oracle_s[:, None])
    best = found.best_beside_oracle
    return {
        **mean.as_json(),
        "nr_seeds": len(found.oracle_s),
        "exact_ratio": found.exact_ratio,
        "bound_s": float(found.bound_s.mean()),
        "best_rule": best,
        "best_rule_s": float(found.costs_s[best][: len(found.oracle_s)].mean()),
        "foresight_share": {**found.foresight.as_json(), "nr_seeds": len(found.unseeing_s)},
    }
