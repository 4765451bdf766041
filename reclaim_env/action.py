"""An agent's bits as reset rules: for one interval, which progress clears a node's kswapd_failures."""

from typing import Any

import numpy as np
from gymnasium import spaces

from reclaim_env.reset_rules import (
    ANY_MASK,
    GLOBAL_DIRECT_MASK,
    KSWAPD_MASK,
    MEMCG_MASK,
    begin_under,
    rule_of,
)

NODE_BIT = np.array([ANY_MASK], np.int64)
SOURCE_BITS = np.array([KSWAPD_MASK, GLOBAL_DIRECT_MASK, MEMCG_MASK], np.int64)


def bits_of_node(sources: bool) -> np.ndarray:
    """The reasons each of a node's bits stands for, as masks."""
    return SOURCE_BITS if sources else NODE_BIT


def nr_choices(sources: bool) -> int:
    """Of a node: a choice is the number that its bits make, the first of them counting 1."""
    return 2 ** len(bits_of_node(sources))


def bits_of_choices(choices: np.ndarray, sources: bool) -> np.ndarray:
    """(...,) choices -> (..., bits) of 0 and 1."""
    return choices[..., np.newaxis] >> np.arange(len(bits_of_node(sources))) & 1


def choices_of_bits(bits: np.ndarray) -> np.ndarray:
    """(..., bits) of 0 and 1 -> (...,) choices."""
    return bits @ (1 << np.arange(bits.shape[-1]))


def action_space(num_nodes: int, sources: bool) -> spaces.MultiBinary:
    return spaces.MultiBinary(num_nodes * len(bits_of_node(sources)))


def checked(actions: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The actions as an array of zeros and ones, or a ValueError that says what they were."""
    array = np.asarray(actions)
    if array.shape != shape:
        raise ValueError(f"action: found shape {array.shape}, wanted {shape}")
    if array.dtype != np.bool_ and np.count_nonzero((array == 0) | (array == 1)) < array.size:
        raise ValueError("action: found a value that is neither 0 nor 1")
    return array


def set_masks(records: np.ndarray, actions: np.ndarray, num_nodes: int, sources: bool) -> None:
    """Writes (num_envs, num_nodes * bits) of 0 and 1 into the records' rules."""
    bits = bits_of_node(sources)
    per_node = actions.reshape(len(records), num_nodes, len(bits)).astype(np.int64)
    records["node"]["reset_always_mask"][:, :num_nodes] = per_node @ bits


def install_rule(records: np.ndarray, rule: str | None) -> None:
    """Gives every node of the records a rule by its name; None: no reset until an action allows one."""
    begin_under(records, rule_of("never" if rule is None else rule))


def known_rule(rule: str | None) -> str | None:
    """The rule's own name (see reset_rules.rule_of()); a wrong one is an error with a suggestion."""
    return None if rule is None else rule_of(str(rule)).name
