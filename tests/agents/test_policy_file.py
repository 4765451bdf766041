"""A policy file says what the trained network says, and nothing that a stranger wrote into it is executed."""

import hashlib
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from agents.policy_file import (
    MAX_FILE_BYTES,
    MAX_HEADER_BYTES,
    PolicyAgent,
    PolicyFileError,
    PolicySpec,
    dump_policy,
    load_policy,
)
from reclaim_env.observation import visible_features
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively

FEATURES = tuple(feature.name for feature in visible_features("7.0"))


def made_up(sources: bool = False, seed: int = 0) -> tuple[PolicySpec, dict[str, np.ndarray]]:
    spec = PolicySpec(features=FEATURES, hidden=(16, 8), sources=sources, made_by="a test")
    random = np.random.default_rng(seed)
    return spec, {name: random.normal(size=shape).astype(np.float32) for name, shape in spec.shapes.items()}


@pytest.fixture
def good() -> bytes:
    return dump_policy(*made_up())


def error_of(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(PolicyFileError) as caught:
        load_policy(path)
    line = str(caught.value)
    assert "\n" not in line and line.startswith(f"{path}: found ") and ", wanted " in line
    assert len(line) < 600 and line.isprintable()
    return line


@pytest.mark.parametrize("sources", [False, True])
def test_what_was_dumped_is_loaded(tmp_path, sources):
    spec, tensors = made_up(sources)
    path = tmp_path / "agent.safetensors"
    path.write_bytes(dump_policy(spec, tensors))
    agent = load_policy(path, "mine")
    assert agent.name == "mine" and agent.rule is None
    assert agent.env_arguments == {"sources": sources, "privileged": False}
    assert agent.spec.model_copy(update={"sha256": ""}) == spec
    values = np.random.default_rng(1).normal(size=(5, len(FEATURES))).astype(np.float32)
    hidden = values
    for layer in range(2):
        hidden = np.tanh(hidden @ tensors[f"layer{layer}.weight"].T + tensors[f"layer{layer}.bias"])
    assert np.allclose(agent.logits(values), hidden @ tensors["layer2.weight"].T + tensors["layer2.bias"])


@pytest.mark.parametrize("sources", [False, True])
def test_actions_fit_the_env_it_asks_for(tmp_path, sources):
    path = tmp_path / "agent.safetensors"
    path.write_bytes(dump_policy(*made_up(sources)))
    agent = load_policy(path)
    env = ReclaimVectorEnv(3, scenario=lively(), **agent.env_arguments)
    agent.check_features(env.features)
    observation, _ = env.reset(seed=0)
    actions, _ = agent.predict(observation)
    assert actions in env.action_space
    one, _ = agent.predict(observation[1])
    assert one in env.single_action_space and np.array_equal(one, actions[1])
    env.step(actions)


def test_every_node_is_decided_by_its_own_features(tmp_path):
    path = tmp_path / "agent.safetensors"
    path.write_bytes(dump_policy(*made_up(sources=True)))
    agent = load_policy(path)
    nodes = np.random.default_rng(0).normal(size=(50, len(FEATURES))).astype(np.float32)
    together, _ = agent.predict(nodes.reshape(1, -1))
    alone, _ = agent.predict(nodes)
    assert np.array_equal(together.reshape(50, 3), alone)
    choice = agent.logits(nodes).argmax(axis=1)
    assert np.array_equal(alone @ [1, 2, 4], choice) and len(set(choice)) > 2


def test_another_kernels_features_are_refused(tmp_path, good):
    path = tmp_path / "agent.safetensors"
    path.write_bytes(good)
    agent = load_policy(path)
    with pytest.raises(ValueError, match="differs in kswapd_failures_ratio"):
        agent.check_features(visible_features("6.12"))
    with pytest.raises(ValueError, match="another order"):
        agent.check_features(visible_features("7.0")[::-1])


@pytest.mark.parametrize("sources", [False, True])
@pytest.mark.parametrize("algo", ["ppo", "recurrent_ppo", "dqn", "qrdqn", "a2c"])
def test_numpy_says_what_torch_says(tmp_path, algo, sources):
    """On 100,000 states, 100 in a row of 1,000 sequences, but for ties of two actions."""
    pytest.importorskip("stable_baselines3")
    from experiments.training import algorithms, learner
    from experiments.training.lessons import Lesson
    from experiments.training.train_config import config_of

    config = config_of({"algo": algo, "hidden": (32, 16), "sources": sources, "rows": 2})
    env = learner.make_env(config, [Lesson("lively", (lively(),))], {"lively": 1.0})
    model = algorithms.make_model(config, env)
    for name, parameter in model.policy.named_parameters():
        parameter.data *= 3 if "lstm" in name else 1.5  # fresh layers are near 0, where any action is as good
    path = tmp_path / "agent.safetensors"
    path.write_bytes(learner.exported(model, config, "a test"))
    agent = load_policy(path)
    space, rng = env.observation_space, np.random.default_rng(0)
    states = rng.uniform(space.low, space.high, (100, 1000, len(FEATURES))).astype(np.float32)  # type: ignore[attr-defined]
    starts = rng.random((100, 1000)) < 0.05
    remembered = by_torch_remembered = None
    equal, chosen = [], []
    for observation, start in zip(states, starts, strict=True):
        by_torch, by_torch_remembered = model.predict(
            observation, by_torch_remembered, start, deterministic=True
        )
        bits, remembered = agent.predict(observation, remembered, start)
        by_numpy = bits @ (1 << np.arange(bits.shape[-1]))
        equal.append(by_numpy == by_torch)
        chosen.append(by_numpy)
    assert np.mean(equal) > 0.9999
    assert len(np.unique(chosen)) > 1


def test_a_policy_that_remembers_starts_each_episode_blank():
    spec = PolicySpec(features=("a", "b"), hidden=(), lstm_units=4)
    rng = np.random.default_rng(1)
    agent = PolicyAgent("", spec, {name: rng.normal(size=shape) for name, shape in spec.shapes.items()})
    first, later = rng.normal(size=(2, 3, 4)).astype(np.float32)  # 3 envs of 2 nodes
    _, state = agent.predict(first)
    starts = np.array([True, False, True])
    _, mixed = agent.predict(later, state, starts)
    _, fresh = agent.predict(later)
    _, going_on = agent.predict(later, state)
    assert state and mixed and fresh and going_on
    for memory, blank, kept in zip(mixed, fresh, going_on, strict=True):
        assert np.array_equal(memory, np.where(starts[:, None, None], blank, kept))
        assert not np.array_equal(blank, kept)


def test_safetensors_own_layout(good):
    """Its header is one JSON object; the tensors lie end to end after it."""
    (length,) = struct.unpack_from("<Q", good)
    header = json.loads(good[8 : 8 + length])
    ends = [header[name]["data_offsets"][1] for name in header if name != "__metadata__"]
    assert length % 8 == 0 and ends == sorted(ends) and ends[-1] == len(good) - 8 - length


# Damaged, foreign and hostile files


def test_every_truncation_is_one_line(tmp_path, good):
    for size in [*range(64), *range(64, len(good), len(good) // 64)]:
        error_of(tmp_path / "cut", good[:size])


def test_every_flipped_byte_is_one_line_or_changes_nothing(tmp_path, good):
    spec, _ = made_up()
    for place in [*range(1600), *range(1600, len(good), 13)]:
        damaged = bytearray(good)
        damaged[place] ^= 0x55
        path = tmp_path / "flipped"
        path.write_bytes(bytes(damaged))
        try:
            agent = load_policy(path)
        except PolicyFileError as error:
            assert "\n" not in str(error)
        else:  # the padding of the header
            assert agent.spec.model_copy(update={"sha256": ""}) == spec


def with_header(header: dict, numbers: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def with_spec(numbers: bytes = b"", **changed) -> bytes:
    spec = {**json.loads(made_up()[0].model_dump_json()), **changed}
    return with_header({"__metadata__": {"spec": json.dumps(spec)}}, numbers)


class Payload:
    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self):
        return (Path.touch, (self.canary,))


def foreign(canary: Path) -> dict[str, bytes]:
    pickled = pickle.dumps(Payload(canary))
    array = io.BytesIO()
    np.save(array, np.array([Payload(canary)], object), allow_pickle=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("data", json.dumps({"policy_class": {":type:": "x", ":serialized:": "gASV"}}))
        members.writestr("policy.pth", pickled)
        members.writestr("../../escape", b"")
    return {
        "empty": b"",
        "text": b"no policy at all, but long enough to have a header",
        "pickle": pickled,
        "pickle with a length before it": struct.pack("<Q", len(pickled)) + pickled,
        "numpy object": array.getvalue(),
        "sb3 archive": archive.getvalue(),
        "header of 2**63 bytes": struct.pack("<Q", 2**63) + b"{}",
        "header past the cap": struct.pack("<Q", MAX_HEADER_BYTES + 1) + b" " * (MAX_HEADER_BYTES + 1),
        "deep JSON": struct.pack("<Q", 60_000) + b"[" * 60_000,
        "a list": struct.pack("<Q", 2) + b"[]",
        "no spec": with_header(
            {"layer0.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"1234"
        ),
        "spec is no text": with_header({"__metadata__": {"spec": {"format": "reclaim-policy-1"}}}),
        "metadata is no object": with_header({"__metadata__": 3}),
        "spec with an unknown key": with_spec(reward="mine"),
        "spec of another env": with_spec(env_id="CartPole-v1"),
        "spec of another format": with_spec(format="reclaim-policy-2"),
        "spec with a layer of 0": with_spec(hidden=[0]),
        "spec with a negative layer": with_spec(hidden=[-5]),
        "spec with a vast layer": with_spec(hidden=[10**30]),
        "spec with too many layers": with_spec(hidden=[4] * 9),
        "spec with a float layer": with_spec(hidden=[4.0]),
        "spec without features": with_spec(features=[]),
        "spec with NaN": with_spec(sources=float("nan")),
        "tensors left out": with_spec(),
        "an escape sequence": with_spec(format="\x1b[31mred\n\x00"),
    }


@pytest.mark.parametrize("what", foreign(Path("canary")))
def test_a_foreign_file_is_one_line_and_runs_nothing(tmp_path, what):
    canary = tmp_path / "canary"
    error_of(tmp_path / "agent.safetensors", foreign(canary)[what])
    assert not canary.exists()


def test_a_vast_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "vast"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES * 1000)
    with pytest.raises(PolicyFileError, match="more than"):
        load_policy(path)


def test_no_file_and_a_folder(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(PolicyFileError, match="wanted a policy file"):
            load_policy(path)


def hashed(content: bytes, numbers: bytes) -> bytes:
    """The same header with other numbers, and their hash where the spec has it."""
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    spec = json.loads(header["__metadata__"]["spec"])
    rest = PolicySpec(**{**spec, "features": FEATURES, "hidden": (16, 8), "sha256": ""}).model_dump_json()
    spec["sha256"] = hashlib.sha256(rest.encode() + numbers).hexdigest()
    header["__metadata__"]["spec"] = json.dumps(spec, separators=(",", ":"))
    return with_header(header, numbers)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_refused_on_both_sides(tmp_path, good, bad):
    spec, tensors = made_up()
    tensors["layer1.weight"][3, 3] = bad
    with pytest.raises(ValueError, match="wanted finite"):
        dump_policy(spec, tensors)
    (length,) = struct.unpack_from("<Q", good)
    numbers = np.frombuffer(good[8 + length :], "<f4").copy()
    numbers[-1] = bad
    assert "layer2.bias" in error_of(tmp_path / "nan", hashed(good, numbers.tobytes()))


def test_a_header_past_the_cap_is_refused_even_if_it_is_sound(tmp_path, good):
    (length,) = struct.unpack_from("<Q", good)
    header, numbers = good[8 : 8 + length], good[8 + length :]
    path = tmp_path / "padded"
    for size, refused in ((MAX_HEADER_BYTES, False), (MAX_HEADER_BYTES + 1, True)):
        padded = struct.pack("<Q", size) + header.ljust(size) + numbers
        if refused:
            assert "no header" in error_of(path, padded)
        else:
            path.write_bytes(padded)
            load_policy(path)


def test_changed_numbers_are_noticed(tmp_path, good):
    changed = good[:-4] + struct.pack("<f", 1.5)
    assert "changed" in error_of(tmp_path / "changed", changed)


def test_shapes_that_do_not_follow_from_the_spec_are_refused(tmp_path, good):
    (length,) = struct.unpack_from("<Q", good)
    header = json.loads(good[8 : 8 + length])
    numbers = good[8 + length :]
    for name, field, value in (
        ("layer0.bias", "shape", [4, 4]),
        ("layer0.bias", "dtype", "F64"),
        ("layer1.bias", "data_offsets", [0, 10**18]),
    ):
        changed = json.loads(json.dumps(header))
        changed[name][field] = value
        assert "do not follow" in error_of(tmp_path / "shape", with_header(changed, numbers))
    header["extra"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    error_of(tmp_path / "extra", with_header(header, numbers))
    error_of(tmp_path / "more", good + b"1234")
