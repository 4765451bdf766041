"""Forks of one machine: copies of its record, driven by plans, priced, and compared.

A plan says which rule holds on a node during a control interval: (steps left, nodes) of indices into a tuple
of rules. `always` and `never` are what an agent's bits 1 and 0 mean, so that plans hold all agents can do,
and each kernel rule with its decisions within an interval.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded

from reclaim_env.action import bits_of_choices, bits_of_node, choices_of_bits, nr_choices
from reclaim_env.copies import copied
from reclaim_env.env import ReclaimEnv
from reclaim_env.model.constants import FREE_PATH
from reclaim_env.model.layout import alloc
from reclaim_env.model.tick import step_rows
from reclaim_env.reset_rules import RULE_FIELDS, RULES, ResetRule, begin_on, install_on
from reclaim_env.reward import episode_cost
from reclaim_env.vector import ReclaimVectorEnv

# What may differ between two machines with the same future: the rules in force, which a plan writes anew, and
# notes of resets that changed the count and nothing else since.
_NOTES = ("last_reset_reason", "last_reset_s")
_COUNTED_NOTES = ("resets", "revivals")


def forkable(env: Any) -> ReclaimVectorEnv:
    """The rows of an env of this package; whatever cannot fork is refused."""
    inner = getattr(env, "unwrapped", env)
    rows = inner.rows if isinstance(inner, ReclaimEnv) else inner
    if not isinstance(rows, ReclaimVectorEnv):
        raise ValueError(
            f"env: found {type(inner).__name__}, wanted a ReclaimEnv or a ReclaimVectorEnv: these fork"
        )
    return rows


def bit_rules(sources: bool) -> tuple[ResetRule, ...]:
    """What each choice of a node means during an interval."""
    masks = bits_of_choices(np.arange(nr_choices(sources)), sources) @ bits_of_node(sources)
    return tuple(
        ResetRule(f"bits_{choice}", "an agent's action", "", always=int(mask))
        for choice, mask in enumerate(masks)
    )


def plan_of_actions(actions: np.ndarray, nr_nodes: int, sources: bool) -> np.ndarray:
    """(steps, nodes) of indices into bit_rules(sources), from (steps, nodes * bits) of an agent's actions."""
    nr_bits = len(bits_of_node(sources))
    return choices_of_bits(np.asarray(actions, np.int64).reshape(len(actions), nr_nodes, nr_bits))


class Forks:
    """One row of an env at its present moment, from which any number of futures can be tried."""

    def __init__(self, env: Any, row: int, rules: Sequence[ResetRule]):
        rows = forkable(env)
        self.nr_steps, self.nr_nodes = int(rows.steps_left[row]), rows.num_nodes
        if rows.records["nr_nodes"][row] == 0 or self.nr_steps < 1:
            raise ResetNeeded(f"row {row}: found no episode under way, wanted one to look ahead in")
        self.rules, self.weights = tuple(rules), rows.weights
        self.start = copied(rows.records[row : row + 1])
        self._ticks_per_step = rows.ticks_per_step
        self._telling = _telling_words(self.start)

    def constant(self, rule: int) -> np.ndarray:
        return np.full((self.nr_steps, self.nr_nodes), rule, np.int16)

    def drive(self, record: np.ndarray, plan: np.ndarray, first: int, last: int) -> None:
        """Takes a record, (1,) in place, from step `first` to step `last` of the plan it has followed."""
        if first == last:
            return
        turns = np.flatnonzero((plan[first + 1 : last] != plan[first : last - 1]).any(axis=1)) + first + 1
        for step, until in pairwise((first, *turns.tolist(), last)):
            self._follow(record, plan, step)
            step_rows(record, (until - step) * self._ticks_per_step)

    def _follow(self, record: np.ndarray, plan: np.ndarray, step: int) -> None:
        """Installs the rules of this step where the last had others: a rule's own memory stays untouched."""
        for nid in range(self.nr_nodes):
            nodes, rule = record["node"][:, nid], self.rules[plan[step, nid]]
            if record["tick"][0] == 0:
                begin_on(nodes, rule)
            elif step == 0 or plan[step, nid] != plan[step - 1, nid]:
                install_on(nodes, rule)

    def replay(self, plan: np.ndarray) -> Iterator[np.ndarray]:
        """The machine, (1,), at the start and after each step of a plan: one record, which moves on."""
        record = copied(self.start)
        yield record
        for step in range(self.nr_steps):
            self.drive(record, plan, step, step + 1)
            yield record

    def decides(self, record: np.ndarray) -> np.ndarray:
        """(nodes,): whether the rule can make a difference in the next interval.

        It cannot where no progress meets a count above 0. With every progress clearing the count, that is
        seen from who cleared it; and if nobody did under this rule, nobody would have under another.
        """
        probe = copied(record)
        install_on(probe["node"], RULES["always"])
        step_rows(probe, self._ticks_per_step)
        return self.cleared(record, probe)

    def cleared(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """(nodes,): whether progress cleared the count between two moments of a machine."""
        grown = after["node"]["vmstat"]["resets"][0] != before["node"]["vmstat"]["resets"][0]
        grown[:, FREE_PATH] = False
        return grown[: self.nr_nodes].any(axis=1)

    def cost_s(self, record: np.ndarray) -> float:
        """Of the episode up to this moment. It never falls."""
        _, cost_s = episode_cost(record, self.weights)
        return float(cost_s[0])

    def future_key(self, record: np.ndarray) -> bytes:
        """Equal for two forks, (1,) each, whose past cost and future are the same under every plan."""
        words = record.view(np.uint64)
        return b"".join([words[part].tobytes() for part in self._telling])


def _telling_words(machine: np.ndarray) -> list[slice]:
    """The words of a record in which machines with different futures differ: rows in use, without notes."""
    tells = alloc(1)
    everything = np.uint64(2**64 - 1)
    tells.view(np.uint64)[:] = everything
    used = {table: int(machine[f"nr_{table}s"][0]) for table in ("node", "memcg", "workload", "event")}
    used["class_"] = int(machine["nr_classes"][0])
    used |= {"lruvec": used["node"] * used["memcg"], "set_": used["node"] * used["class_"]}
    for table, nr_rows in used.items():
        tells[table][:, nr_rows:] = np.zeros((), tells.dtype[table].base)
    for name in (*RULE_FIELDS, *_NOTES):
        tells["node"][name] = 0
    for name in _COUNTED_NOTES:
        tells["node"]["vmstat"][name] = 0
    edges = np.flatnonzero(np.diff(tells.view(np.uint64) == everything, prepend=False, append=False))
    return [slice(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
