"""An agent's bits as reset rules: for one interval, which progress clears a node's kswapd_failures."""

import difflib
from typing import Any

import numpy as np
from gymnasium import spaces

from reclaim_env.reset_rules import ANY_MASK, GLOBAL_DIRECT_MASK, KSWAPD_MASK, MEMCG_MASK, RULES, ResetRule

NODE_BIT = np.array([ANY_MASK], np.int64)
SOURCE_BITS = np.array([KSWAPD_MASK, GLOBAL_DIRECT_MASK, MEMCG_MASK], np.int64)
RULE_FIELDS = ("reset_always_mask", "reset_balanced_mask", "reset_coin_mask")  # of a node's record


def bits_of_node(sources: bool) -> np.ndarray:
    """The reasons each of a node's bits stands for, as masks."""
    return SOURCE_BITS if sources else NODE_BIT


def action_space(num_nodes: int, sources: bool) -> spaces.MultiBinary:
    return spaces.MultiBinary(num_nodes * len(bits_of_node(sources)))


def checked(actions: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The actions as an array of zeros and ones, or a ValueError that says what they were."""
    array = np.asarray(actions)
    if array.shape != shape:
        raise ValueError(f"action: found shape {array.shape}, wanted {shape}")
    if array.dtype != np.bool_ and not np.all((array == 0) | (array == 1)):
        raise ValueError("action: found a value that is neither 0 nor 1")
    return array


def set_masks(records: np.ndarray, actions: np.ndarray, num_nodes: int, sources: bool) -> None:
    """Writes (num_envs, num_nodes * bits) of 0 and 1 into the records' rules."""
    bits = bits_of_node(sources)
    per_node = actions.reshape(len(records), num_nodes, len(bits)).astype(np.int64)
    records["node"]["reset_always_mask"][:, :num_nodes] = per_node @ bits


def install_rule(records: np.ndarray, rule: str | None) -> None:
    """Gives every node of the records a kernel rule; None: no reset until an action allows one."""
    install_on(records["node"], RULES[rule] if rule is not None else RULES["never"])


def install_on(nodes: np.ndarray, rule: ResetRule) -> None:
    """Gives these nodes, records in an array of any shape, a rule."""
    nodes["reset_always_mask"] = rule.always
    nodes["reset_balanced_mask"] = rule.balanced
    nodes["reset_coin_mask"] = rule.coin


def known_rule(rule: str | None) -> str | None:
    """The name itself; a wrong one is an error with a suggestion."""
    if rule is not None and rule not in RULES:
        close = difflib.get_close_matches(str(rule), RULES, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"rule: found {rule!r}, wanted one of {', '.join(RULES)}{hint}")
    return rule
