"""What is compared: a rule, or an agent from a file."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from agents import pretrained
from agents.policy_file import EnvArguments, PolicyAgent, load_policy
from reclaim_env.observation import visible_features
from reclaim_env.reset_rules import KERNEL_RULES, RULES, rule_of

from .results import BASELINES
from .wording import slug, visible

ALL = "all"


@dataclass(frozen=True)
class Contender:
    name: str
    identity: str  # its numbers may be reused while this stays the same
    agent: PolicyAgent | None = None

    @property
    def rule(self) -> str | None:
        """The rule the model evaluates; None: an agent acts."""
        return None if self.agent else self.name

    def check_features(self, kernel: str) -> None:
        """A ValueError where an agent would see on this kernel other things than it was trained on."""
        if self.agent:
            self.agent.check_features(visible_features(kernel, self.agent.spec.privileged))

    @property
    def env_arguments(self) -> EnvArguments:
        return self.agent.env_arguments if self.agent else EnvArguments(sources=False, privileged=False)


def contenders(
    rules: Iterable[str], agent_files: Iterable[Path], kernel: str = "7.0"
) -> tuple[Contender, ...]:
    """Rules as asked, the baselines in any case, then the agents by their files' names.

    Where nothing is asked: the kernels' rules, and of the agents that come with the package those that see on
    this kernel what they were trained on.
    """
    asked = dict.fromkeys(chain.from_iterable(map(_named, rules)))
    agent_files = tuple(agent_files)
    if not asked:
        asked = dict.fromkeys(KERNEL_RULES)
        agent_files = agent_files or tuple(path for path in pretrained.files() if _fits(path, kernel))
    names = [*(name for name in BASELINES if name not in asked), *asked]
    found = [of_rule(name) for name in names]
    for path in agent_files:
        found.append(of_agent(path, taken={contender.name for contender in found}))
    return tuple(found)


def _fits(path: Path, kernel: str) -> bool:
    spec = load_policy(path).spec
    return spec.features == tuple(one.name for one in visible_features(kernel, spec.privileged))


def _named(name: str) -> tuple[str, ...]:
    """A rule by its own name, however it was written; `all` are all, each as it is by default."""
    return tuple(RULES) if name == ALL else (of_rule(name).name,)


def of_rule(name: str) -> Contender:
    try:
        rule = rule_of(name)
    except ValueError as error:
        raise ValueError(f"--{error}") from None
    return Contender(rule.name, json.dumps(asdict(rule), sort_keys=True, default=int))


def of_agent(path: Path, taken: set[str]) -> Contender:
    agent = load_policy(path)
    identity = agent.spec.model_dump_json()  # holds the sha256 of the numbers
    name = slug(path.stem)
    if name in taken:
        name = f"{name}-{agent.spec.sha256[:6]}"
    if name in taken:
        raise ValueError(f"--agent: {visible(str(path))}: found the same agent twice, wanted it once")
    return Contender(name, identity, agent)
