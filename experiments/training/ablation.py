"""What a supervised policy owes to what it sees: `python -m experiments.training.ablation RUN...`

The labels of finished runs are fitted again, each time without one group of observations, and validated; then
with observations, or costs, dealt out anew among the labels, from which nothing can be learned. Nothing is
labelled again: the states are those that the whole policy visited.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agents.policy_file import PolicyAgent, load_policy, parse_policy
from reclaim_env.observation import CHEAP, FEATURE

from ..benchmark.page import table
from ..contender import Contender
from .learner_tags import COST_RATIO
from .lessons import lessons
from .stored import AGENT_NAME, stored_supervised_config, stored_usual_costs_s
from .supervised import Labels, fitted, kept_labels
from .validation import Validation, validation_points

GROUPS = {
    "sizes": (
        "free_over_low_ratio",
        "file_over_gap_ratio",
        "file_over_deficit_ratio",
        "active_per_file_ratio",
    ),
    "kswapd": (
        "hopeless",
        "hopeless_s",
        "awake_ratio",
        "kswapd_cpu_ratio",
        "kswapd_progress_per_s",
        "kswapd_failures_ratio",
    ),
    "refaults": ("refault_per_steal_2s_ratio", "refault_per_steal_20s_ratio", "refault_price_s"),
    "yield": ("steal_per_scan_ratio", "direct_steal_per_scan_ratio"),
    "direct reclaim": ("stall_ratio", "allocstall_per_s", "direct_progress_per_s"),
    "cgroups": ("memcg_progress_per_s",),
    "other nodes": ("last_node", "others_hopeless_ratio", "others_free_over_low_ratio"),
}


class Refit:
    """The labels of a finished run, fitted and validated as the run itself did it."""

    def __init__(self, folder: Path):
        config = stored_supervised_config(folder)
        self.labels = kept_labels(folder)
        self.agent = load_policy(folder / AGENT_NAME)
        self.spec = self.agent.spec
        self._config, self._usual = config, stored_usual_costs_s(folder)
        validated = lessons(config.validation or config.scenarios)
        self._validation = Validation(validated, config.setting)

    def policy(self, labels: Labels, hidden: Sequence[str] = ()) -> PolicyAgent:
        """Fitted to these labels, blind to what is hidden."""
        unseen = [self.spec.features.index(name) for name in hidden]
        features = labels.features.copy()
        features[:, unseen] = 0.0
        tensors = parse_policy(fitted(replace(labels, features=features), self._config, self.spec)).tensors
        weight = tensors["layer0.weight"].copy()
        weight[:, unseen] = 0.0
        return PolicyAgent("refitted", self.spec, {**tensors, "layer0.weight": weight})

    def cost_ratio(self, labels: Labels, hidden: Sequence[str] = ()) -> float:
        """Of that policy, on the run's validation."""
        measured = self._validation.measure(Contender("refitted", "", self.policy(labels, hidden)))
        return validation_points(measured, self._usual["validation"])[COST_RATIO]


def variants(refit: Refit) -> Iterator[tuple[str, float]]:
    labels, seen = refit.labels, refit.spec.features
    yield "all", refit.cost_ratio(labels)
    for group, names in GROUPS.items():
        yield f"without {group}", refit.cost_ratio(labels, names)
    yield "kernel-cheap only", refit.cost_ratio(labels, [n for n in seen if FEATURE[n].tag != CHEAP])
    order = np.random.default_rng(0).permutation(len(labels.features))
    yield "observations dealt out anew", refit.cost_ratio(replace(labels, features=labels.features[order]))
    costs = np.random.default_rng(0).permuted(labels.costs, axis=1)
    yield "costs dealt out anew", refit.cost_ratio(replace(labels, costs=costs))


def render(folders: Sequence[Path]) -> str:
    found = [dict(variants(Refit(folder))) for folder in folders]
    rows = [
        [name, *(f"{of[name]:.3f}" for of in found), f"{np.mean([of[name] for of in found]):.3f}"]
        for name in found[0]
    ]
    return table(["observations", *(f"`{folder.name}`" for folder in folders), "mean"], rows)


def main(arguments: Sequence[str]) -> None:
    if not arguments:
        raise SystemExit("found no RUN, wanted one at least")
    try:
        found = render([Path(folder) for folder in arguments])
    except ValueError as error:
        raise SystemExit(str(error)) from None
    sys.stdout.write(found)


if __name__ == "__main__":
    main(sys.argv[1:])
