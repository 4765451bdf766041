"""One layer of LSTM cells in numpy, as torch computes it, for policies that remember."""

from collections.abc import Mapping

import numpy as np

LstmState = tuple[np.ndarray, np.ndarray]  # hidden and cell, each (..., units)


def lstm_shapes(nr_inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    """Tensor -> shape. Gates lie in torch's order: input, forget, cell, output."""
    return {
        "lstm.weight_input": (4 * units, nr_inputs),
        "lstm.weight_hidden": (4 * units, units),
        "lstm.bias": (4 * units,),
    }


class Lstm:
    def __init__(self, tensors: Mapping[str, np.ndarray]):
        self._weight_input, self._weight_hidden = (
            tensors["lstm.weight_input"].T,
            tensors["lstm.weight_hidden"].T,
        )
        self._bias = tensors["lstm.bias"]
        self._units = len(self._bias) // 4

    def blank(self, shape: tuple[int, ...]) -> LstmState:
        """What it remembers before the first step of `shape` sequences."""
        return np.zeros((*shape, self._units), np.float32), np.zeros((*shape, self._units), np.float32)

    def step(self, values: np.ndarray, state: LstmState) -> LstmState:
        """(..., features) and the state before -> the state after; its hidden part is the output."""
        hidden, cell = state
        gates = values @ self._weight_input + hidden @ self._weight_hidden + self._bias
        let_in, keep, new, show = np.split(gates, 4, axis=-1)
        cell = _sigmoid(keep) * cell + _sigmoid(let_in) * np.tanh(new)
        return _sigmoid(show) * np.tanh(cell), cell


def _sigmoid(values: np.ndarray) -> np.ndarray:
    """By tanh, which does not overflow."""
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * values) + np.float32(1.0))
