"""stable-baselines3's algorithms made from a config, and what each learned as tensors of a policy file."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sb3_contrib import QRDQN, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from agents.policy_file import PolicyAgent

from .train_config import (
    A2cConfig,
    DqnConfig,
    LearnerConfig,
    OnPolicyConfig,
    PpoConfig,
    QrDqnConfig,
    RecurrentPpoConfig,
    TrainConfig,
)

Tensors = dict[str, np.ndarray]


def make_model(config: TrainConfig, env: VecEnv) -> BaseAlgorithm:
    """A new model on one CPU thread; `env` has one slot for each node of each row."""
    if not isinstance(config, LearnerConfig):
        raise ValueError(f"algo: found {config.algo}, wanted one of stable-baselines3's")
    common: dict[str, Any] = {
        "env": env,
        "learning_rate": config.learning_rate,
        "gamma": config.gamma,
        "seed": config.seed,
        "device": "cpu",
    }
    return _MAKERS[type(config)](config, common)


def log_interval(config: TrainConfig, env: VecEnv) -> int:
    """Rollouts between points of a curve; with a replay buffer, ended episodes of single slots."""
    return 1 if isinstance(config, OnPolicyConfig) else env.num_envs


def _network(config: TrainConfig, **more: Any) -> dict[str, Any]:
    return {"net_arch": list(config.hidden), "activation_fn": torch.nn.Tanh, **more}


def _on_policy(config: OnPolicyConfig) -> dict[str, Any]:
    return {"n_steps": config.rollout_steps, "gae_lambda": config.gae_lambda, "ent_coef": config.ent_coef}


def _ppo(config: PpoConfig, common: dict[str, Any]) -> BaseAlgorithm:
    fitted = {"batch_size": config.batch_size, "n_epochs": config.epochs, "policy_kwargs": _network(config)}
    return PPO("MlpPolicy", **common, **_on_policy(config), **fitted)


def _recurrent_ppo(config: RecurrentPpoConfig, common: dict[str, Any]) -> BaseAlgorithm:
    network = _network(config, lstm_hidden_size=config.lstm_units)
    fitted = {"batch_size": config.batch_size, "n_epochs": config.epochs, "policy_kwargs": network}
    return RecurrentPPO("MlpLstmPolicy", **common, **_on_policy(config), **fitted)


def _a2c(config: A2cConfig, common: dict[str, Any]) -> BaseAlgorithm:
    return A2C("MlpPolicy", **common, **_on_policy(config), policy_kwargs=_network(config))


def _replay(config: DqnConfig) -> dict[str, Any]:
    return {
        "buffer_size": config.buffer_steps,
        "learning_starts": config.learning_starts_steps,
        "batch_size": config.batch_size,
        "train_freq": config.collect_steps,
        "gradient_steps": config.updates,
        "target_update_interval": config.target_steps,
        "exploration_fraction": config.exploration_ratio,
        "exploration_final_eps": config.final_epsilon,
    }


def _dqn(config: DqnConfig, common: dict[str, Any]) -> BaseAlgorithm:
    return DQN("MlpPolicy", **common, **_replay(config), policy_kwargs=_network(config))


def _qrdqn(config: QrDqnConfig, common: dict[str, Any]) -> BaseAlgorithm:
    network = _network(config, n_quantiles=config.quantiles)
    return QRDQN("MlpPolicy", **common, **_replay(config), policy_kwargs=network)


_MAKERS: dict[type[LearnerConfig], Callable[[Any, dict[str, Any]], BaseAlgorithm]] = {
    PpoConfig: _ppo,
    RecurrentPpoConfig: _recurrent_ppo,
    A2cConfig: _a2c,
    DqnConfig: _dqn,
    QrDqnConfig: _qrdqn,
}


def begin_as(model: BaseAlgorithm, agent: PolicyAgent, where: str) -> None:
    """Gives an actor the weights of a policy file; a ValueError if they do not fit."""
    own = policy_tensors(model) if isinstance(model, PPO | A2C) else {}
    if {name: tensor.shape for name, tensor in own.items()} != dict(agent.spec.shapes):
        wanted = "those of an actor of the same features, hidden layers and sources, by ppo or a2c"
        raise ValueError(f"warm_start: {where}: found layers {agent.spec.shapes}, wanted {wanted}")
    for name, tensor in own.items():  # they share the model's memory
        tensor[...] = agent.tensors[name]


def policy_tensors(model: BaseAlgorithm) -> Tensors:
    """What chooses actions, by the names a policy file gives it."""
    policy: Any = model.policy
    if isinstance(model, QRDQN):
        return _mean_of_quantiles(
            _perceptron(policy.quantile_net.quantile_net), policy.quantile_net.n_quantiles
        )
    if isinstance(model, DQN):
        return _perceptron(policy.q_net.q_net)
    remembered = _lstm(policy.lstm_actor) if isinstance(model, RecurrentPPO) else {}
    return remembered | _perceptron([*policy.mlp_extractor.policy_net, policy.action_net])


def _perceptron(modules: Any) -> Tensors:
    tensors = {}
    for index, layer in enumerate(module for module in modules if isinstance(module, torch.nn.Linear)):
        for name, parameter in layer.named_parameters():
            tensors[f"layer{index}.{name}"] = parameter.detach().numpy()
    return tensors


def _mean_of_quantiles(tensors: Tensors, quantiles: int) -> Tensors:
    """The last layer gives quantiles of each action's return, (quantiles, actions): their mean is linear."""
    last = max(int(name.removeprefix("layer").partition(".")[0]) for name in tensors)
    for name in (f"layer{last}.weight", f"layer{last}.bias"):
        tensors[name] = tensors[name].reshape(quantiles, -1, *tensors[name].shape[1:]).mean(axis=0)
    return tensors


def _lstm(layer: torch.nn.LSTM) -> Tensors:
    numbers = {name: parameter.detach().numpy() for name, parameter in layer.named_parameters()}
    return {
        "lstm.weight_input": numbers["weight_ih_l0"],
        "lstm.weight_hidden": numbers["weight_hh_l0"],
        "lstm.bias": numbers["bias_ih_l0"] + numbers["bias_hh_l0"],
    }
