"""`reclaim foresight`: how much of what the oracle saves it saves by seeing the future.

Beside the oracle plays a search that knows the machine and its tasks' schedules, but decides by means over
futures drawn anew (agents/lookahead.py). What it saves, a rule that knew all that could save too; what the
oracle saves on top is out of every rule's reach.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from agents.lookahead import play
from agents.oracle import search
from reclaim_env.reset_rules import RULES
from reclaim_env.scenario import Scenario, load_all

from ..contender import Contender
from ..evaluate import at_the_start, evaluation_seeds
from ..identity import Setting, row_key, usable_cpus
from ..ledger import Ledger, Row
from ..reporting.tables import WIDTH, paragraph
from ..stats import means
from ..wording import compact, fitted
from .costs import stored_costs_s

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Foresight:
    """Costs of the same episodes, (episodes,) each."""

    name: str
    best_rule: str  # the one of least mean cost
    rule_s: np.ndarray
    unseeing_s: np.ndarray
    oracle_s: np.ndarray

    @property
    def is_open(self) -> bool:
        """Whether the interval of what the oracle saves over the best rule is above zero."""
        (gap,) = means((self.rule_s - self.oracle_s)[:, None])
        return gap.lo is not None and gap.lo > 0

    @property
    def share(self) -> float | None:
        """Of that, what only foresight saves: 0 to 1, or above where the other search loses to the rule."""
        if not self.is_open:
            return None
        return float((self.unseeing_s - self.oracle_s).mean() / (self.rule_s - self.oracle_s).mean())


def measure(
    names: Sequence[str],
    contenders: Sequence[Contender],
    nr_seeds: int,
    setting: Setting,
    budget_episodes: float,
    ledger: Ledger,
    progress: Progress,
) -> list[Foresight]:
    found = []
    for name in names:
        episodes = _episodes(name, nr_seeds)
        costs = {
            one.name: np.array([_rule_s(ledger, one, setting, *episode) for episode in episodes])
            for one in contenders
        }
        best = min(costs, key=lambda rule: costs[rule].mean())
        pairs = _searched(ledger, setting, budget_episodes, episodes, partial(progress, name))
        oracle_s = np.minimum(pairs[:, 1], np.min(list(costs.values()), axis=0))
        found.append(Foresight(name, best, costs[best], pairs[:, 0], oracle_s))
    return found


def _episodes(name: str, nr_seeds: int) -> list[tuple[Scenario, int]]:
    """So many seeds of one scenario; of several members, each with the seed it was drawn with."""
    members = load_all([name])
    if len(members) > 1:
        return [(one, one.seed or 0) for one in members]
    return [(members[0], seed) for seed in evaluation_seeds(nr_seeds)]


def _rule_s(ledger: Ledger, rule: Contender, setting: Setting, scenario: Scenario, seed: int) -> float:
    return float(stored_costs_s(ledger, [scenario], rule, [seed], setting).sum())


def _searched(
    ledger: Ledger,
    setting: Setting,
    budget_episodes: float,
    episodes: Sequence[tuple[Scenario, int]],
    advance: Callable[[int], None],
) -> np.ndarray:
    """(episodes, 2): cost without foresight and with it. Finished episodes are kept."""
    both = Contender("foresight", f"both searches, {budget_episodes:g} episodes, {', '.join(RULES)}")
    keys = [row_key(scenario, both, setting, seed) for scenario, seed in episodes]

    def costs(index: int) -> tuple[float, float]:
        row = ledger_rows.get(index)
        if row is not None:
            return row.metrics["unseeing_s"], row.metrics["oracle_s"]
        return _both_s(*episodes[index], setting, budget_episodes)

    ledger_rows = {index: row for index, key in enumerate(keys) if (row := ledger.row(key))}
    found = []
    with ThreadPoolExecutor(usable_cpus(), thread_name_prefix="foresight") as pool:
        for index, (unseeing_s, oracle_s) in enumerate(pool.map(costs, range(len(episodes)))):
            scenario, seed = episodes[index]
            metrics = {"unseeing_s": unseeing_s, "oracle_s": oracle_s}
            ledger.add([Row(keys[index], scenario.name, both.name, seed, metrics)], {})
            found.append((unseeing_s, oracle_s))
            advance(1)
    return np.array(found)


def _both_s(scenario: Scenario, seed: int, setting: Setting, budget_episodes: float) -> tuple[float, float]:
    """The oracle begins with what the other has played: it is never dearer."""
    played = play(at_the_start(scenario, setting, seed))
    found = search(
        at_the_start(scenario, setting, seed), plans=[played.plan], budget_episodes=budget_episodes
    )
    return played.cost_s, found.cost_s


def as_json(found: Sequence[Foresight]) -> dict[str, Any]:
    return {
        one.name: {
            "best_rule": one.best_rule,
            "rule_s": float(one.rule_s.mean()),
            "unseeing_s": float(one.unseeing_s.mean()),
            "oracle_s": float(one.oracle_s.mean()),
            "foresight_share": one.share,
            "episodes": len(one.rule_s),
        }
        for one in found
    }


def render(found: Sequence[Foresight]) -> str:
    heads = f"{'':28}{'best rule':>17}{'its s':>8}{'unseeing':>9}{'oracle':>8}{'foresight':>10}"
    lines = [heads, "=" * WIDTH]
    for one in found:
        share = "no gap" if one.share is None else f"{100 * one.share:.0f} %"
        rule, unseeing, oracle = (
            compact(float(costs.mean())) for costs in (one.rule_s, one.unseeing_s, one.oracle_s)
        )
        cells = f"{one.best_rule[:16]:>17}{rule:>8}{unseeing:>9}{oracle:>8}{share:>10}"
        lines.append(fitted(one.name, 28) + cells)
    return "\n".join([*lines, "", *paragraph(CAPTION)]) + "\n"


CAPTION = (
    "Mean costs of the same episodes. Unseeing: a search that knows the machine and the schedules and draws "
    "the rest of the future anew. Foresight: what the oracle saves over it, of what it saves over the best "
    "rule; no gap where the interval of that holds zero."
)
