"""A model saved elsewhere is taken for its weights, and for nothing else."""

import base64
import json
import pickle
import zipfile
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO

import reclaim_env
from agents.policy_file import load_policy
from agents.sb3 import NodeVecEnv
from experiments.training.foreign_model import convert
from experiments.training.train_config import config_of
from tests.toys import lively


@pytest.fixture
def model():
    envs = gym.make_vec(
        reclaim_env.ENV_ID, num_envs=2, scenario=lively(), autoreset_mode=AutoresetMode.SAME_STEP
    )
    return PPO("MlpPolicy", NodeVecEnv(envs), n_steps=16, batch_size=64, device="cpu")  # type: ignore[arg-type]


def test_what_plain_sb3_trained_chooses_the_same_as_a_policy_file(tmp_path, model):
    model.learn(64)
    model.save(tmp_path / "mine.zip")
    config = config_of({"algo": "ppo", "hidden": (64, 64)})
    convert(tmp_path / "mine.zip", config, "test", tmp_path / "mine.safetensors")
    agent = load_policy(tmp_path / "mine.safetensors")
    space = model.observation_space
    states = np.random.default_rng(0).uniform(space.low, space.high, (1000, *space.shape)).astype(np.float32)
    assert np.mean(agent.predict(states)[0][:, 0] == model.predict(states, deterministic=True)[0]) > 0.999


def test_a_foreign_models_file_says_what_it_was_trained_on_only_if_somebody_does(tmp_path, model):
    model.save(tmp_path / "mine.zip")
    config, told = config_of({"algo": "ppo", "hidden": (64, 64)}), ("dead_kswapd/memcg?split=train#0..3",)
    convert(tmp_path / "mine.zip", config, "test", tmp_path / "unknown")
    convert(tmp_path / "mine.zip", config, "test", tmp_path / "known", told)
    assert load_policy(tmp_path / "unknown").spec.trained_on == ()
    assert load_policy(tmp_path / "known").spec.trained_on == told
    with pytest.raises(ValueError, match="known: found a file of that name, wanted a new file"):
        convert(tmp_path / "mine.zip", config, "test", tmp_path / "known")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "found"), [("gone.zip", "no such file"), ("cut.zip", "a damaged file")])
@pytest.mark.parametrize("algo", ["ppo", "recurrent_ppo", "dqn", "qrdqn", "a2c"])
def test_a_missing_or_damaged_archive_is_one_line(tmp_path, algo, name, found):
    (tmp_path / "cut.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match=f"{name}: found {found}, wanted a checkpoint"):
        convert(tmp_path / name, config_of({"algo": algo}), "test", tmp_path / "out")


def test_its_pickled_data_are_not_looked_at_and_other_shapes_are_refused(tmp_path, model):
    canary = tmp_path / "canary"

    class Payload:
        def __reduce__(self):
            return (Path.touch, (canary,))

    model.save(tmp_path / "mine.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        payload = base64.b64encode(pickle.dumps(Payload())).decode()
        for name in archive.namelist():
            hostile = json.dumps({"policy_class": {":type:": "x", ":serialized:": payload}})
            bad.writestr(name, hostile if name == "data" else archive.read(name))
    convert(tmp_path / "bad.zip", config_of({"hidden": (64, 64)}), "test", tmp_path / "out")
    assert not canary.exists() and (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="wanted a checkpoint of such a model") as error:
        convert(tmp_path / "mine.zip", config_of({"hidden": (32,)}), "test", tmp_path / "other")
    assert "\n" not in str(error.value) and not (tmp_path / "other").exists()
    with pytest.raises(ValueError, match="algo: found supervised"):
        convert(tmp_path / "mine.zip", config_of({"algo": "supervised"}), "test", tmp_path / "other")
