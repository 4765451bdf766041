"""What is compared: a kernel rule, or an agent from a file."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from agents.policy_file import EnvArguments, PolicyAgent, load_policy
from reclaim_env.reset_rules import RULES

from .results import BASELINES
from .wording import slug, visible


@dataclass(frozen=True)
class Contender:
    name: str
    identity: str  # its numbers may be reused while this stays the same
    agent: PolicyAgent | None = None

    @property
    def rule(self) -> str | None:
        """The kernel rule the model evaluates; None: an agent acts."""
        return None if self.agent else self.name

    @property
    def env_arguments(self) -> EnvArguments:
        return self.agent.env_arguments if self.agent else EnvArguments(sources=False, privileged=False)


def contenders(rules: Iterable[str], agent_files: Iterable[Path]) -> tuple[Contender, ...]:
    """Rules as asked, the baselines in any case, then the agents by their files' names."""
    asked = dict.fromkeys(rules) or dict.fromkeys(RULES)
    names = [*(name for name in BASELINES if name not in asked), *asked]
    found = [of_rule(name) for name in names]
    for path in agent_files:
        found.append(of_agent(path, taken={contender.name for contender in found}))
    return tuple(found)


def of_rule(name: str) -> Contender:
    if name not in RULES:
        close = difflib.get_close_matches(name, RULES, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"--rule: found {name!r}, wanted one of {', '.join(RULES)}{hint}")
    return Contender(name, json.dumps(asdict(RULES[name]), sort_keys=True, default=int))


def of_agent(path: Path, taken: set[str]) -> Contender:
    agent = load_policy(path)
    identity = agent.spec.model_dump_json()  # holds the sha256 of the numbers
    name = slug(path.stem)
    if name in taken:
        name = f"{name}-{agent.spec.sha256[:6]}"
    if name in taken:
        raise ValueError(f"--agent: {visible(str(path))}: found the same agent twice, wanted it once")
    return Contender(name, identity, agent)
