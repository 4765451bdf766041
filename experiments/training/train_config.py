"""What a training run was asked to do: frozen, checked, and written into its manifest."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reclaim_env.reset_rules import KERNEL_RULES, RULES, rule_of
from reclaim_env.scenario.file import suggestion

from ..identity import Setting
from ..wording import visible

RULE_SEEDS = 4  # episodes of each rule and lesson for the lines beside the agent's curve
VALIDATION_SEED = 800_000  # the first, of every run: agents of any seed are compared on the same episodes
SEEDS_OF_A_VISIT = 1000  # of episodes in which one agent's states are labelled
MAX_CONFIG_BYTES = 64 * 2**10


class TrainConfig(BaseModel):
    """What every algorithm is told. A step is one decision of one node."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    algo: str
    scenarios: tuple[str, ...] = Field(default=("incident", "dead_kswapd"), min_length=1, max_length=64)
    validation: tuple[str, ...] = Field(default=(), max_length=64)  # empty: the scenarios, with other seeds
    steps: int = Field(default=400_000, ge=1, le=10**12)
    seed: int = Field(default=0, ge=0)
    kernel: str = "7.0"
    weights: str = "default"
    sources: bool = False  # a bit for each source of progress: 8 actions, not 2
    rows: int = Field(default=32, ge=1, le=4096)  # machines simulated side by side
    learning_rate: float = Field(default=3e-4, gt=0, le=1)
    hidden: tuple[int, ...] = Field(default=(64, 64), max_length=8)
    # Rules beside the agent's curve
    lines: tuple[str, ...] = Field(default=tuple(KERNEL_RULES), max_length=64)
    oracle_episodes: float = Field(default=0, ge=0, le=10_000)  # its search, for a line too; 0: none

    @property
    def setting(self) -> Setting:
        """A ValueError where there is no such kernel or preset of weights."""
        return Setting(self.kernel, self.weights)

    @property
    def nr_seeds(self) -> int:
        """From `seed` upwards: those of the episodes it learns from, one for each node of a row."""
        return 8 * self.rows

    @model_validator(mode="after")
    def _seeds_stay_below_the_validation(self) -> "TrainConfig":
        """No agent is measured on an episode it was trained on: those seeds follow."""
        last = VALIDATION_SEED - self.nr_seeds
        if self.seed > last:
            raise ValueError(
                f"--seed: found {self.seed}, wanted at most {last}: later ones are for validation"
            )
        return self

    @model_validator(mode="after")
    def _what_is_named_is_known(self) -> "TrainConfig":
        assert self.setting
        for name in self.lines:
            rule_of(name)
        return self


class LearnerConfig(TrainConfig):
    """Of stable-baselines3's algorithms, which learn step by step."""

    gamma: float = Field(default=0.99, ge=0, le=1)
    checkpoint_steps: int = Field(default=50_000, ge=1)
    validate_steps: int = Field(default=100_000, ge=1)
    warm_start: str = ""  # a policy file whose weights an actor begins with


class OnPolicyConfig(LearnerConfig):
    rollout_steps: int = Field(default=128, ge=1, le=10_000)
    gae_lambda: float = Field(default=0.95, ge=0, le=1)
    ent_coef: float = Field(default=0.01, ge=0, le=1)


class ProximalConfig(OnPolicyConfig):
    batch_size: int = Field(default=2048, ge=2)
    epochs: int = Field(default=5, ge=1, le=100)


class PpoConfig(ProximalConfig):
    algo: Literal["ppo"] = "ppo"


class RecurrentPpoConfig(ProximalConfig):
    algo: Literal["recurrent_ppo"] = "recurrent_ppo"
    lstm_units: int = Field(default=32, ge=1, le=1024)


class A2cConfig(OnPolicyConfig):
    algo: Literal["a2c"] = "a2c"
    rollout_steps: int = Field(default=16, ge=1, le=10_000)


class DqnConfig(LearnerConfig):
    algo: Literal["dqn"] = "dqn"
    buffer_steps: int = Field(default=200_000, ge=1, le=10**8)
    learning_starts_steps: int = Field(default=5_000, ge=1)
    batch_size: int = Field(default=512, ge=2)
    collect_steps: int = Field(default=4, ge=1)  # of each slot, between updates
    updates: int = Field(default=4, ge=1)  # gradient steps after each collection
    target_steps: int = Field(default=10_000, ge=1)  # between copies to the target network
    exploration_ratio: float = Field(default=0.2, ge=0, le=1)  # of the run until epsilon is at its end
    final_epsilon: float = Field(default=0.05, ge=0, le=1)


class QrDqnConfig(DqnConfig):
    algo: Literal["qrdqn"] = "qrdqn"
    quantiles: int = Field(default=32, ge=1, le=512)


class SupervisedConfig(TrainConfig):
    """A step is one labelled decision of one node: what each action costs to the episode's end."""

    algo: Literal["supervised"] = "supervised"
    steps: int = Field(default=8_000, ge=1, le=10**8)
    rounds: int = Field(default=2, ge=1, le=20)  # the first on the tails' episodes, later ones on its own
    rows: int = Field(default=16, ge=1, le=4096)
    labels_per_episode: int = Field(default=6, ge=1, le=10_000)
    tails: tuple[str, ...] = Field(default=("balanced", "always"), min_length=1, max_length=16)
    hold_steps: int = Field(default=50, ge=1, le=10_000)  # for which an action is held before the tail
    clear_weight: float = Field(default=1.0, gt=0, le=1000)  # of clearing's regret; keeping's has 1
    futures: int = Field(default=0, ge=0, le=64)  # 0: the one that comes; else the mean of so many others
    epochs: int = Field(default=400, ge=1, le=100_000)
    learning_rate: float = Field(default=2e-3, gt=0, le=1)
    weight_decay: float = Field(default=1e-4, ge=0, le=1)

    @property
    def nr_seeds(self) -> int:
        return SEEDS_OF_A_VISIT * self.rounds * len(self.tails) + self.rows

    @model_validator(mode="after")
    def _tails_are_rules(self) -> "SupervisedConfig":
        for name in self.tails:
            if name not in RULES:
                raise ValueError(f"tails: found {visible(name)}, wanted some of {', '.join(RULES)}")
        return self


CONFIGS: dict[str, type[TrainConfig]] = {
    "ppo": PpoConfig,
    "recurrent_ppo": RecurrentPpoConfig,
    "dqn": DqnConfig,
    "qrdqn": QrDqnConfig,
    "a2c": A2cConfig,
    "supervised": SupervisedConfig,
}


def config_of(asked: dict[str, Any], where: str = "") -> TrainConfig:
    """The config of `asked["algo"]`; a ValueError of one line names the field, found and wanted."""
    algo = asked.get("algo", "ppo")
    if algo not in CONFIGS:
        raise ValueError(f"{where}algo: found {visible(str(algo))}, wanted one of {', '.join(CONFIGS)}")
    try:
        return CONFIGS[algo](**asked)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            wanted = suggestion(field, tuple(CONFIGS[algo].model_fields))
            raise ValueError(f"{where}{visible(field)}: found an unknown field, wanted {wanted}") from None
        found = f"{field}: found {visible(repr(first['input']))}: " if field else ""
        raise ValueError(f"{where}{found}{first['msg'].removeprefix('Value error, ')}") from None


def read_config(path: Path) -> dict[str, Any]:
    """The fields a TOML file gives, lists as tuples; unchecked, since options may be laid over them."""
    where = visible(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        if len(content) > MAX_CONFIG_BYTES:
            raise ValueError(f"more than {MAX_CONFIG_BYTES} bytes")
        fields = tomllib.loads(content.decode())
    except OSError as error:
        raise ValueError(f"--config: {where}: found {error.strerror}, wanted a TOML file") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"--config: {where}: found {visible(str(error))}, wanted a TOML file") from None
    return as_fields(fields)


def as_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a TOML or JSON file holds as a config wants it: its lists are tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
