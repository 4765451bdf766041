"""`reclaim falsify`: where does a rule do worst against the oracle? The smallest scenario that shows it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from agents.forks import Forks
from agents.futures import costs_s
from agents.oracle import search
from reclaim_env import families
from reclaim_env.families import MemberName
from reclaim_env.reset_rules import RULES, ResetRule
from reclaim_env.scenario import Scenario, ScenarioError

from .. import files
from ..contender import Contender, of_rule
from ..evaluate import at_the_start, evaluation_seeds
from ..identity import Setting, row_key, usable_cpus
from ..ledger import Ledger, Row
from ..reporting.tables import WIDTH, paragraph
from ..stats import Mean, means
from ..wording import compact, fitted, with_interval
from .shrink import shrunk, size, tables_of

KEPT_RATIO = 0.5  # of the regret, that a smaller scenario must still show
NR_FINALISTS = 4
STEP = 0.25  # of a number's range
SHRINKING_SEEDS, FINAL_SEEDS = 2, 16
QUICK, FULL = 0.0, 60.0  # episodes of the oracle's search beyond `never`, `always` and `balanced`

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Regret:
    """What a rule costs more than the oracle, in seconds of each simulated minute."""

    name: str
    rule_s: float
    oracle_s: float

    @property
    def s_per_min(self) -> float:
        return self.rule_s - self.oracle_s


@dataclass(frozen=True)
class Falsified:
    rule: str
    worst: tuple[Regret, ...]  # members, the worst first
    scenario: Scenario  # the smallest that still shows it
    regret_s_per_min: Mean  # of that, over seeds of its own
    rule_s_per_min: float
    oracle_s_per_min: float


class Falsifier:
    """Every regret measured goes to the ledger, and what is there is not measured again."""

    def __init__(self, rule: ResetRule, setting: Setting, ledger: Ledger, progress: Progress):
        self._rule, self._setting, self._ledger, self._progress = rule, setting, ledger, progress

    def run(self, members: Sequence[MemberName]) -> Falsified:
        found = self._ranked("searching", members, QUICK)
        finalists = [name for name, _ in found[:NR_FINALISTS]]
        worst = self._ranked("finalists", finalists, FULL)
        scenario = self._shrunk(families.member(self._climbed(worst[0][0])))
        fresh = evaluation_seeds(SHRINKING_SEEDS + FINAL_SEEDS)[SHRINKING_SEEDS:]
        regrets = self._regrets("measuring what is left", [(scenario, seed) for seed in fresh], FULL)
        (mean,) = means(np.array([[one.s_per_min] for one in regrets]))
        return Falsified(
            rule=self._rule.name,
            worst=tuple(regret for _, regret in worst),
            scenario=scenario,
            regret_s_per_min=mean,
            rule_s_per_min=float(np.mean([one.rule_s for one in regrets])),
            oracle_s_per_min=float(np.mean([one.oracle_s for one in regrets])),
        )

    def _ranked(
        self, words: str, names: Sequence[MemberName], budget: float
    ) -> list[tuple[MemberName, Regret]]:
        """Members by what the rule costs more than the oracle, each with its own seed."""
        episodes = [(families.member(name), name.seed or 0) for name in names]
        found = zip(names, self._regrets(words, episodes, budget), strict=True)
        return sorted(found, key=lambda one: -one[1].s_per_min)

    def _climbed(self, name: MemberName) -> MemberName:
        """Its numbers moved within their ranges, one at a time, while that makes it worse."""
        for key, one in families.families()[name.family].parameters(name.variant).items():
            if one.low == one.high:
                continue
            share = one.share_below(families.numbers_of(name)[key])
            moved = [one.at(min(max(share + step, 0.0), 1.0)) for step in (-STEP, STEP)]
            others = [replace(name, given={**name.given, key: value}) for value in moved]
            name, _ = self._ranked(f"climbing: {key}", [name, *filter(_exists, others)], QUICK)[0]
        return name

    def _shrunk(self, scenario: Scenario) -> Scenario:
        """Judged by the quick search, unless that does not see the regret."""
        wanted = KEPT_RATIO * self._mean_regret("to be shrunk", scenario, FULL)
        budget = QUICK if self._mean_regret("to be shrunk", scenario, QUICK) >= wanted else FULL
        smallest = tables_of(scenario)

        def still_shows(smaller: Scenario) -> bool:
            nonlocal smallest
            duration_s, nr_fields, _ = size(smallest)
            words = f"shrinking: {nr_fields} fields, {duration_s:g} s"
            shows = self._mean_regret(words, smaller, budget) >= wanted
            smallest = tables_of(smaller) if shows else smallest
            return shows

        return shrunk(scenario, still_shows)

    def _mean_regret(self, words: str, scenario: Scenario, budget: float) -> float:
        episodes = [(scenario, seed) for seed in evaluation_seeds(SHRINKING_SEEDS)]
        return float(np.mean([one.s_per_min for one in self._regrets(words, episodes, budget)]))

    def _regrets(self, words: str, episodes: Sequence[tuple[Scenario, int]], budget: float) -> list[Regret]:
        """Of a scenario and seed each."""
        test = Contender(f"{self._rule.name} falsified", f"{of_rule(self._rule.name).identity}, {budget:g}")
        keys = [row_key(scenario, test, self._setting, seed) for scenario, seed in episodes]
        rows = {key: row for key in keys if (row := self._ledger.row(key))}
        missing = [index for index, key in enumerate(keys) if key not in rows]
        self._progress(words, len(keys) - len(missing))

        def measured(index: int) -> Regret:
            scenario, seed = episodes[index]
            return self._regret(scenario, seed, budget)

        with ThreadPoolExecutor(usable_cpus(), thread_name_prefix="falsify") as pool:
            for index, regret in zip(missing, pool.map(measured, missing), strict=True):
                metrics = {"rule_s": regret.rule_s, "oracle_s": regret.oracle_s}
                row = Row(keys[index], regret.name, test.name, episodes[index][1], metrics)
                self._ledger.add([row], {})
                rows[row.key] = row
                self._progress(words, 1)
        return [Regret(rows[key].scenario, **rows[key].metrics) for key in keys]

    def _regret(self, scenario: Scenario, seed: int, budget: float) -> Regret:
        env = at_the_start(scenario, self._setting, seed)
        forks = Forks(env, 0, [self._rule])
        (own_s,) = costs_s(forks, forks.start, [forks.constant(0)], 0, forks.nr_steps)
        best = search(env, rules=tuple(RULES) if budget else (), budget_episodes=budget)
        per_min = 60 / scenario.duration_s
        return Regret(scenario.name, own_s * per_min, min(own_s, best.cost_s) * per_min)


def write(path: Path, found: Falsified, command: str) -> None:
    """The scenario as a file that says where it comes from and what it shows."""
    told = {
        "source": f"{found.scenario.source[:1500]}; made smaller by {command}",
        "description": " ".join(_sentences(found)),
    }
    files.write_text(path, tomli_w.dumps({**tables_of(found.scenario), **told}))


def render(found: Falsified) -> str:
    lines = [f"{found.rule}: seconds a minute it costs more than the oracle", "=" * WIDTH]
    for regret in found.worst:
        cells = f"{compact(regret.rule_s):>9} {compact(regret.oracle_s):>9} {compact(regret.s_per_min):>9}"
        lines.append(f"{fitted(regret.name, 48)} {cells}")
    lines += ["", *(line for sentence in _sentences(found) for line in paragraph(sentence))]
    return "\n".join(lines) + "\n"


def _sentences(found: Falsified) -> list[str]:
    regret = found.regret_s_per_min
    spread = with_interval(regret.mean, regret.lo, regret.hi)
    return [
        f"Under {found.rule} this costs {compact(found.rule_s_per_min)} s a minute, under the best plan "
        f"found {compact(found.oracle_s_per_min)} s.",
        f"Regret {spread} s a minute over {FINAL_SEEDS} seeds (95 % interval).",
    ]


def as_json(found: Falsified) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "worst": [{**vars(regret), "regret_s_per_min": regret.s_per_min} for regret in found.worst],
        "scenario": tables_of(found.scenario),
        "regret_s_per_min": found.regret_s_per_min.as_json(),
        "rule_s_per_min": found.rule_s_per_min,
        "oracle_s_per_min": found.oracle_s_per_min,
        "seeds": FINAL_SEEDS,
    }


def _exists(name: MemberName) -> bool:
    try:
        families.member(name)
    except ScenarioError:
        return False
    return True


def members(asked: Sequence[str], nr_members: int) -> list[MemberName]:
    """So many of every variant asked for (a family, family/name, or all), drawn by the seeds 0, 1, ..."""
    ids = [one for one in families.ids() if not asked or one in asked or one.partition("/")[0] in asked]
    if not ids:
        known = ", ".join(families.families())
        raise ValueError(f"--family: found {', '.join(asked)}, wanted one of {known}, or family/name")
    return [replace(families.parse(one), seed=seed) for one in ids for seed in range(nr_members)]
