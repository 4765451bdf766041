"""What an evaluation was asked for, checked before anything is simulated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reclaim_env import families
from reclaim_env.families import MemberName
from reclaim_env.reset_rules import KERNEL_RULES
from reclaim_env.scenario import Scenario, ScenarioError

from ..contender import Contender
from ..evaluate import evaluation_seeds, nr_steps
from ..identity import Setting
from ..overlap import refuse_overlap
from ..results import BASELINES

DEFAULT_SPLITS = ("test", "transfer")
PRICES = ("fixed", "varied")
REFERENCE_SEEDS = range(900_000, 900_016)  # of a family's scale: none of the evaluation's, which begin above
DEFAULT_RULES = (
    *(name for name in KERNEL_RULES if name != "random"),
    "timer",
    "balanced_timer",
    "retry_low",
    "refault_gated",
    "aware",
    "price",
    "gap",
    "gap_stall",
)


@dataclass(frozen=True)
class Case:
    """All members of a family that could have been drawn alike: its name without a seed."""

    stem: str

    def member(self, seed: int) -> Scenario:
        return families.member(f"{self.stem}#{seed}")

    @property
    def label(self) -> str:
        """Without the split."""
        return replace(families.parse(self.stem), split="").stem


@dataclass(frozen=True)
class Request:
    cases: tuple[Case, ...]
    contenders: tuple[Contender, ...]
    nr_seeds: int
    setting: Setting
    command: str
    kind: str = "evaluate"  # of the run, as its manifest says
    nr_oracle_seeds: int = 0  # 0: no oracle
    budget_episodes: float = 0

    def __post_init__(self) -> None:
        for contender in self.contenders:
            contender.check_features(self.setting.kernel)
            if contender.agent:
                refuse_overlap(contender, [case.stem for case in self.cases])

    @property
    def seeds(self) -> list[int]:
        return evaluation_seeds(self.nr_seeds)

    @property
    def nr_env_steps(self) -> int:
        steps = sum(nr_steps(case.member(0), self.setting) for case in self.cases)
        scales = len(BASELINES) * len(REFERENCE_SEEDS)
        return steps * (len(self.contenders) * self.nr_seeds + scales)


def cases(asked: Iterable[str], splits: Sequence[str], prices: Sequence[str]) -> tuple[Case, ...]:
    """Of families (`dead_kswapd`), their variants (`dead_kswapd/memcg`) or names with numbers given.

    Every variant in those of the splits that it has; nothing asked: all variants.
    """
    for option, found, known in (("split", splits, families.SPLITS), ("prices", prices, PRICES)):
        for word in found:
            if word not in known:
                raise ValueError(f"--{option}: found {word!r}, wanted one of {', '.join(known)}")
    stems = [stem for one in asked or families.families() for stem in _stems(one)]
    found = []
    for stem in dict.fromkeys(stems):
        name = families.parse(stem)
        own = families.families()[name.family].splits(name.variant)
        words = [name.split] if name.split else [split for split in splits if split in own]
        for split in words:
            for price in prices:
                vary = name.prices_vary or price == "varied"
                found.append(MemberName(name.family, name.variant, name.given, split, vary).stem)
    if not found:
        raise ValueError(f"--split: found {', '.join(splits)}, wanted a split of the families asked for")
    return tuple(Case(stem) for stem in dict.fromkeys(found))


def _stems(asked: str) -> list[str]:
    """A family's name stands for all its variants."""
    if asked in families.families():
        return [f"{asked}/{variant}" for variant in families.families()[asked].variant]
    if not families.is_name(asked):
        known = ", ".join(families.families())
        raise ValueError(f"--family: found {asked!r}, wanted one of {known}, or family/name")
    if families.parse(asked).seed is not None:
        raise ScenarioError(asked, "seed", "one", "none: seeds are those of the evaluation")
    return [asked]
