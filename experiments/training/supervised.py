"""A policy fitted to what its actions cost to the end of the episode, looked ahead on forks.

Each round visits states - first those of the tails' episodes, later those of the policy so far - and labels
them (agents/labels.py). The policy is the network that shuns actions by their regret: their cost above the
cheapest one, in usual costs of the lesson. A run goes on from the labels it kept.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from agents.labels import action_costs_s
from agents.policy_file import PolicySpec, dump_policy, parse_policy
from reclaim_env.vector import ReclaimVectorEnv

from .. import files
from ..contender import Contender, of_rule
from ..evaluate import actor
from ..identity import usable_cpus
from ..reporting.tensorboard import FILE_NAME, encoded
from ..wording import visible
from .lessons import Lesson, by_nr_nodes, interleaved, training_rows
from .session import Session, policy_spec
from .train_config import SupervisedConfig
from .visits import Visit, Visits

LABELS = "labels"
MAX_REGRET = 1.0  # usual costs of an episode: one trap says no more than ten
MIN_CHANCE = 1e-6
MATTERS = 1e-5  # of regret: below, it is not worth a parameter


@dataclass(frozen=True)
class Labels:
    features: np.ndarray  # (n, features) float32
    costs: np.ndarray  # (n, actions) of what follows each action, in usual costs of an episode

    @property
    def regret(self) -> np.ndarray:
        return self.costs - self.costs.min(axis=1, keepdims=True)

    def that_matter(self) -> "Labels | None":
        """Those of states in which the actions differ."""
        matter = self.regret.max(axis=1) > MATTERS
        return Labels(self.features[matter], self.costs[matter]) if matter.any() else None

    @staticmethod
    def joined(parts: Sequence["Labels"]) -> "Labels":
        return Labels(
            np.concatenate([part.features for part in parts]), np.concatenate([part.costs for part in parts])
        )


def learn(session: Session) -> bytes:
    """Labels and fits round by round until the end or until it is told to stop; returns the policy's file."""
    config = session.config
    assert isinstance(config, SupervisedConfig)
    spec = policy_spec(config, _features(config, session.taught), session.command)
    known: list[Labels] = []
    points, policy = [], None
    for number in range(config.rounds):
        path = session.folder / LABELS / f"round-{number:03d}.npz"
        labels = read_labels(path) or _labelled(session, config, number, policy)
        if labels is None:  # stopped
            break
        _write(path, labels)
        known.append(labels)
        policy = fitted(Labels.joined(known), config, spec)
        labelled = sum(len(part.features) for part in known)
        points.append((labelled, session.validate(policy)))
        files.write_bytes(session.folder / "tensorboard" / config.algo / FILE_NAME, encoded(points))
    return policy or fitted(None, config, spec)


def _labelled(session: Session, config: SupervisedConfig, number: int, policy: bytes | None) -> Labels | None:
    """A round's labels: of each tail's episodes, or of the policy's."""
    agents = [of_rule(name) for name in config.tails] if policy is None else [_contender(policy)]
    pairs = interleaved(session.taught)
    groups = by_nr_nodes([scenario for _, scenario in pairs])
    visits = [Visits(config, [pairs[i] for i in group], len(pairs)) for group in groups]
    parts = []
    for index, agent in enumerate(agents):
        for of_group in visits:
            part = _seen(session, config, agent, of_group.visit(number, index))
            if part is None:
                return None
            parts.append(part)
    return Labels.joined(parts)


def _contender(policy: bytes) -> Contender:
    return Contender("trained", "", parse_policy(policy))


def _seen(session: Session, config: SupervisedConfig, agent: Contender, visit: Visit) -> Labels | None:
    """Labels of what the agent meets in a visit; None: stopped."""
    usual = np.array([session.usual_cost_s[lesson.name] for lesson, _ in visit.members])
    scenarios = [scenario for _, scenario in visit.members]
    env = training_rows(config, scenarios, visit.nr_rows, rule=agent.rule)
    act = actor(agent, env)
    observation, _ = env.reset(seed=visit.seed)
    found: list[Labels] = []
    for step in range(visit.moments[-1] + 1):
        if session.stopped():
            return None
        if step in visit.moments:
            found.append(_now(env, observation, config, usual[env.scenario_of_row]))
            session.progress("labelling", len(found[-1].features))
        observation = env.step(act(observation))[0]
    return Labels.joined(found)


def _now(
    env: ReclaimVectorEnv, observation: np.ndarray, config: SupervisedConfig, usual_cost_s: np.ndarray
) -> Labels:
    """Every node of every row, labelled."""
    costs_s = action_costs_s(env, config.tails, config.hold_steps, config.futures, usable_cpus())
    costs = costs_s / usual_cost_s[:, np.newaxis, np.newaxis]
    features = observation.reshape(env.num_envs * env.num_nodes, -1)
    return Labels(features.astype(np.float32), costs.reshape(len(features), -1))


def fitted(labels: Labels | None, config: SupervisedConfig, spec: PolicySpec) -> bytes:
    """The policy file of the network fitted to the labels; without any, of a fresh one."""
    torch.manual_seed(config.seed)
    network = _network(spec)
    if labels is not None and (known := labels.that_matter()):
        _fit(network, known, config)
    tensors = {}
    for index, layer in enumerate(module for module in network if isinstance(module, torch.nn.Linear)):
        tensors |= {f"layer{index}.{name}": one.detach().numpy() for name, one in layer.named_parameters()}
    return dump_policy(spec, tensors)


def _features(config: SupervisedConfig, taught: Sequence[Lesson]) -> tuple[str, ...]:
    env = ReclaimVectorEnv(1, taught[0].scenarios[0], kernel=config.kernel)
    return tuple(feature.name for feature in env.features)


def _network(spec: PolicySpec) -> torch.nn.Sequential:
    units = (len(spec.features), *spec.hidden, spec.nr_actions)
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(units):
        layers += [torch.nn.Linear(before, after), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


def _fit(network: torch.nn.Sequential, labels: Labels, config: SupervisedConfig) -> None:
    """Whole-batch Adam. An action's log-chance of not being chosen, weighed by the root of its regret.

    The root, of a regret of up to MAX_REGRET, lets the many small losses of some families count beside the
    few large ones of others. (The expected regret itself has no slope where the policy is sure and wrong.)
    Clearing may weigh more: a revived kswapd is not stopped by the next decision, and one wrong decision out
    of all that a policy makes in such a state revives it, while keeping is put right by the next.
    """
    weight = torch.from_numpy(np.sqrt(labels.regret.clip(max=MAX_REGRET))).float()
    weight[:, 1:] *= config.clear_weight
    mean, spread = _scale(labels.features)
    states = torch.from_numpy((labels.features - mean) / spread)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=config.epochs + 1)
    for _ in range(config.epochs):
        chosen = torch.softmax(network(states), dim=1).clamp(max=1 - MIN_CHANCE)
        loss = -(weight * torch.log1p(-chosen)).sum() / weight.sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        pace.step()
    _fold_in(network[0], mean, spread)


def _scale(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, spread) of every feature; one that never changes keeps its size."""
    spread = features.std(axis=0)
    return features.mean(axis=0), np.where(spread > 0.0, spread, 1.0).astype(np.float32)


def _fold_in(first: torch.nn.Module, mean: np.ndarray, spread: np.ndarray) -> None:
    """The first layer takes what the env observes, not what it was fitted to."""
    assert isinstance(first, torch.nn.Linear)
    with torch.no_grad():
        first.weight /= torch.from_numpy(spread)
        first.bias -= first.weight @ torch.from_numpy(mean)


def _write(path: Path, labels: Labels) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, features=labels.features, costs=labels.costs)
    files.write_bytes(path, buffer.getvalue())


def read_labels(path: Path) -> Labels | None:
    """What an interrupted run has labelled; None: nothing yet."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as found:
            return Labels(found["features"], found["costs"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        where = visible(str(path))
        raise ValueError(f"{where}: found {type(error).__name__}, wanted labels of a run") from None


def kept_labels(run: Path) -> Labels:
    """Of all rounds of a run; a ValueError where it has none."""
    kept = [read_labels(path) for path in sorted((run / LABELS).glob("round-*.npz"))]
    if not kept:
        raise ValueError(f"{visible(str(run))}: found no labels, wanted a run that has some")
    return Labels.joined([labels for labels in kept if labels])
