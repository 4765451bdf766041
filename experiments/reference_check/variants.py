"""What is compared where no scenario is named: made machines, drawn ones, and the kernel lab's scenarios."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from reclaim_env.scenario import Scenario, load_all, parse_text

from . import made, made_anon
from .drawn import draw

LAB_RULES = ("always", "balanced", "never")
NR_DRAWN, DRAWN_S = 20, 4.0


@dataclass(frozen=True)
class Variant:
    scenario: Scenario
    rule: str
    kernel: str = "6.12"

    @property
    def label(self) -> str:
        return f"{self.scenario.name} ({self.rule})"


def named(scenarios: Sequence[str], draw_seed: int) -> list[Variant]:
    """Standard variants by their scenario's name; any other scenario, bundled or a file, under the two rules
    of history."""
    known = standard(draw_seed)
    chosen: list[Variant] = []
    for name in scenarios:
        own = [variant for variant in known if variant.scenario.name == name]
        chosen += own or [Variant(one, rule) for one in load_all([name]) for rule in LAB_RULES[:2]]
    return chosen


def standard(draw_seed: int) -> list[Variant]:
    """draw_seed: the first of NR_DRAWN integers that random machines are drawn from."""
    plain = [Variant(one, "always") for one in made.readers_and_streams()]
    ruled = [Variant(one, rule) for one in made.stories() for rule in LAB_RULES[:2]]
    return [*plain, *ruled, *_lab(), *_drawn(draw_seed), *where_anon_leaves()]


def where_anon_leaves() -> list[Variant]:
    """Or where memory itself comes and goes."""
    plain = [Variant(one, "always") for one in made_anon.swapping()]
    return [*plain, *(Variant(one, rule) for one in made_anon.anon_stories() for rule in LAB_RULES[:2])]


def _drawn(first: int) -> list[Variant]:
    drawn = [draw(seed, DRAWN_S) for seed in range(first, first + NR_DRAWN)]
    return [Variant(one.scenario, one.rule, one.kernel) for one in drawn]


def _lab() -> list[Variant]:
    folder = resources.files("experiments.kernel_lab") / "scenarios"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    texts = [parse_text(file.read_text("utf-8"), file.name) for file in files]
    return [Variant(scenario, rule) for scenario in texts for rule in LAB_RULES]
