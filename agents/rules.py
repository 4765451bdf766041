"""The rules as agents. The model evaluates them at each progress event, as a kernel does."""

from functools import partial
from typing import Any

import numpy as np

from agents.registry import register
from reclaim_env.action import bits_of_node
from reclaim_env.reset_rules import RULES, ResetRule
from reclaim_env.scenario import Scenario


class RuleAgent:
    """A rule by its name, for whoever installs it in an env: ReclaimVectorEnv(rule=agent.rule).

    predict() gives the bits that come closest where the rule is not installed: 1 where every progress
    resets (`always` is then all ones, `never` all zeros, and exact), 0 where it depends on
    the node at the moment of the event, which no bit of an interval can say. Probes and other counts than
    16 have no bit.
    """

    def __init__(self, rule: ResetRule, num_nodes: int, sources: bool):
        self.name = rule.name
        self.rule = rule.name
        bits = bits_of_node(sources)
        self._action = np.tile((bits & rule.always) == bits, num_nodes).astype(np.int8)

    def predict(
        self,
        observation: np.ndarray,
        state: tuple[Any, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[Any, ...] | None]:
        return np.broadcast_to(self._action, (*observation.shape[:-1], self._action.size)).copy(), state


def rule_agent(rule: ResetRule, scenario: Scenario, sources: bool) -> RuleAgent:
    return RuleAgent(rule, len(scenario.node), sources)


for _rule in RULES.values():
    register(_rule.name, _rule.source, _rule.doc)(partial(rule_agent, _rule))
