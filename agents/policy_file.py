"""A trained policy as one file that anybody can open safely: safetensors, with a JSON spec in its header.

Layout: 8 bytes with the header's length, the header (JSON: each tensor's type, shape and place, and
`__metadata__.spec`), the numbers. Reading it runs no code and needs numpy only; whatever is wrong with a
file is one line.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from math import prod
from os import PathLike, fspath
from typing import Any, Literal, TypedDict

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.lstm import Lstm, LstmState, lstm_shapes
from reclaim_env import ENV_ID
from reclaim_env.action import bits_of_choices, nr_choices
from reclaim_env.observation import Feature
from reclaim_env.scenario.file import printable, shown

MAX_FILE_BYTES = 16 * 2**20
MAX_HEADER_BYTES = 64 * 2**10
MAX_UNITS, MAX_LAYERS = 1024, 8
LENGTH = struct.Struct("<Q")


class PolicyFileError(ValueError):
    """One line: which file, what was found, what was wanted."""

    def __init__(self, path: str, found: str, wanted: str):
        super().__init__(f"{printable(path)}: found {printable(found)}, wanted {printable(wanted)}")


class PolicySpec(BaseModel):
    """What the numbers mean: a perceptron with tanh, applied to each node's features alone.

    With `lstm_units` the features first go through a layer of LSTM cells, which remembers the episode.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal["reclaim-policy-1"] = "reclaim-policy-1"
    env_id: Literal["Reclaim/KswapdReset-v0"] = ENV_ID
    features: tuple[str, ...] = Field(min_length=1, max_length=64)
    hidden: tuple[int, ...] = Field(max_length=MAX_LAYERS)
    lstm_units: int = Field(default=0, ge=0, le=MAX_UNITS)
    sources: bool = False  # a bit per source of progress: 8 actions per node, not 2
    privileged: bool = False
    made_by: str = Field(default="", max_length=2000)
    trained_on: tuple[str, ...] = Field(
        default=(), max_length=256, strict=False
    )  # scenarios and families, by name
    families_hash: str = Field(default="", max_length=64)  # of ranges, splits and weights at the time
    sha256: str = Field(default="", max_length=64)  # of the rest of the spec and the numbers

    @property
    def nr_actions(self) -> int:
        return nr_choices(self.sources)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Tensor -> shape; they lie in the file in this order."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.lstm_units:
            shapes |= lstm_shapes(len(self.features), self.lstm_units)
        units = (self.lstm_units or len(self.features), *self.hidden, self.nr_actions)
        for layer in range(len(units) - 1):
            shapes[f"layer{layer}.weight"] = (units[layer + 1], units[layer])
            shapes[f"layer{layer}.bias"] = (units[layer + 1],)
        return shapes


class EnvArguments(TypedDict):
    """What a policy needs of an env: its bits, and whether it sees what is privileged."""

    sources: bool
    privileged: bool


class PolicyAgent:
    """A policy that sees one env's features; every node is decided alone, by the likeliest action."""

    rule = None

    def __init__(self, name: str, spec: PolicySpec, tensors: Mapping[str, np.ndarray]):
        self.name, self.spec, self.tensors = name, spec, tensors
        layers = range(len(spec.hidden) + 1)
        self._layers = [(tensors[f"layer{i}.weight"].T, tensors[f"layer{i}.bias"]) for i in layers]
        self._lstm = Lstm(tensors) if spec.lstm_units else None

    @property
    def env_arguments(self) -> EnvArguments:
        return {"sources": self.spec.sources, "privileged": self.spec.privileged}

    def check_features(self, features: tuple[Feature, ...]) -> None:
        """A ValueError unless the env shows just what the policy was trained on."""
        shown_by_env = tuple(feature.name for feature in features)
        if shown_by_env == self.spec.features:
            return
        differ = sorted(set(shown_by_env) ^ set(self.spec.features))
        found = f"an env that differs in {', '.join(differ)}" if differ else "an env with another order"
        raise ValueError(
            f"agent {printable(self.name)}: found {printable(found)}, wanted the features it was trained on "
            "(another kernel hides or shows some)"
        )

    def logits(self, values: np.ndarray) -> np.ndarray:
        """(..., features), or what the LSTM made of them -> (..., actions), float32."""
        for weight, bias in self._layers[:-1]:
            values = np.tanh(values @ weight + bias)
        weight, bias = self._layers[-1]
        return values @ weight + bias

    def predict(
        self,
        observation: np.ndarray,
        state: tuple[Any, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = True,
    ) -> tuple[np.ndarray, tuple[Any, ...] | None]:
        """Always the likeliest action: a file has no random stream, so `deterministic` changes nothing.

        A policy that remembers wants the state it returned last, and (num_envs,) bools: an episode starts.
        """
        values = np.asarray(observation, np.float32)
        values = values.reshape(*values.shape[:-1], -1, len(self.spec.features))
        if self._lstm:
            state = self._lstm.step(values, self._remembered(values.shape[:-1], state, episode_start))
            values = state[0]
        bits = bits_of_choices(self.logits(values).argmax(axis=-1), self.spec.sources)
        return bits.reshape(*observation.shape[:-1], -1).astype(np.int8), state

    def _remembered(
        self, shape: tuple[int, ...], state: tuple[Any, ...] | None, episode_start: np.ndarray | None
    ) -> LstmState:
        """The state of each (env, node), blank where an episode starts."""
        assert self._lstm is not None
        hidden, cell = self._lstm.blank(shape) if state is None else state
        if episode_start is None:
            return hidden, cell
        goes_on = ~np.asarray(episode_start, bool)[..., np.newaxis, np.newaxis]
        return hidden * goes_on, cell * goes_on


def dump_policy(spec: PolicySpec, tensors: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a policy file."""
    arrays = {name: np.ascontiguousarray(tensors[name], "<f4") for name in spec.shapes}
    for name, shape in spec.shapes.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ValueError(
                f"{name}: found shape {arrays[name].shape}, wanted finite numbers of shape {shape}"
            )
    numbers = b"".join(array.tobytes() for array in arrays.values())
    spec = spec.model_copy(update={"sha256": _digest(spec, numbers)})
    header = json.dumps(_header(spec)).encode()
    header += b" " * (-len(header) % LENGTH.size)
    return LENGTH.pack(len(header)) + header + numbers


def load_policy(path: str | PathLike[str], name: str = "") -> PolicyAgent:
    """The agent in a file; PolicyFileError says in one line why there is none."""
    where = fspath(path)
    try:
        with open(where, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PolicyFileError(where, error.strerror or "no file", "a policy file") from None
    return parse_policy(content, where, name)


def parse_policy(content: bytes, where: str = "", name: str = "") -> PolicyAgent:
    """The agent in a file's bytes, as load_policy() reads them."""
    spec, numbers = _split(where, content)
    tensors = _tensors(spec, numbers)
    for tensor, array in tensors.items():
        if not np.isfinite(array).all():
            raise PolicyFileError(where, f"a NaN or infinity in {tensor}", "finite numbers")
    return PolicyAgent(name or where, spec, tensors)


def _digest(spec: PolicySpec, numbers: bytes) -> str:
    rest = spec.model_copy(update={"sha256": ""}).model_dump_json().encode()
    return hashlib.sha256(rest + numbers).hexdigest()


def _header(spec: PolicySpec) -> dict[str, Any]:
    header: dict[str, Any] = {"__metadata__": {"spec": spec.model_dump_json()}}
    start = 0
    for name, shape in spec.shapes.items():
        end = start + 4 * prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
        start = end
    return header


def _split(where: str, content: bytes) -> tuple[PolicySpec, bytes]:
    """The spec, checked, and the numbers, of the length and hash it gives."""
    if len(content) > MAX_FILE_BYTES:
        raise PolicyFileError(where, f"more than {MAX_FILE_BYTES} bytes", "a policy file")
    if len(content) < LENGTH.size:
        raise PolicyFileError(where, f"{len(content)} bytes", "a policy file")
    (header_bytes,) = LENGTH.unpack_from(content)
    if not 0 < header_bytes <= min(MAX_HEADER_BYTES, len(content) - LENGTH.size):
        raise PolicyFileError(where, "no header where a safetensors file has it", "a policy file")
    numbers = content[LENGTH.size + header_bytes :]
    header = _json(where, content[LENGTH.size : LENGTH.size + header_bytes], "header")
    spec = _spec(where, header)
    if header != _header(spec):
        raise PolicyFileError(where, "tensors that do not follow from the spec", "those of its layers")
    if len(numbers) != 4 * sum(prod(shape) for shape in spec.shapes.values()):
        raise PolicyFileError(where, f"{len(numbers)} bytes of numbers", "what the layers need")
    if _digest(spec, numbers) != spec.sha256:
        raise PolicyFileError(where, "contents that were changed", "those of the sha256 in the spec")
    return spec, numbers


def _json(where: str, text: bytes | str, what: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise PolicyFileError(where, f"a {what} that is not JSON", "a policy file") from None
    if not isinstance(document, dict):
        raise PolicyFileError(where, f"a {what} that is no object", "a policy file")
    return document


def _spec(where: str, header: dict[str, Any]) -> PolicySpec:
    metadata = header.get("__metadata__")
    text = metadata.get("spec") if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise PolicyFileError(where, "tensors without a spec", "a policy file written by `reclaim train`")
    try:
        spec = PolicySpec.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise PolicyFileError(where, f"{field} {shown(first['input'])} in the spec", first["msg"]) from None
    if not all(0 < units <= MAX_UNITS for units in spec.hidden):
        raise PolicyFileError(where, f"layers of {shown(list(spec.hidden))}", f"1 to {MAX_UNITS} units each")
    return spec


def _tensors(spec: PolicySpec, numbers: bytes) -> dict[str, np.ndarray]:
    flat = np.frombuffer(numbers, "<f4").astype(np.float32)
    tensors, start = {}, 0
    for name, shape in spec.shapes.items():
        tensors[name] = flat[start : start + prod(shape)].reshape(shape)
        start += prod(shape)
    return tensors
