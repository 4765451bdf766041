"""What a training run was asked to do: frozen, checked, and written into its manifest."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .evaluate import FIRST_SEED

RULE_SEEDS = 4  # episodes of each rule and scenario for the lines beside the agent's curve


class TrainConfig(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    algo: Literal["ppo"] = "ppo"
    scenarios: tuple[str, ...] = Field(default=("incident", "dead_kswapd"), min_length=1, max_length=64)
    steps: int = Field(default=400_000, ge=1, le=10**12)  # decisions of one node
    seed: int = Field(default=0, ge=0)
    kernel: str = "7.0"
    weights: str = "default"
    rows: int = Field(default=32, ge=1, le=4096)  # machines simulated side by side
    rollout_steps: int = Field(default=128, ge=1, le=10_000)
    batch_size: int = Field(default=2048, ge=2)
    epochs: int = Field(default=5, ge=1, le=100)
    learning_rate: float = Field(default=3e-4, gt=0, le=1)
    gamma: float = Field(default=0.99, ge=0, le=1)
    gae_lambda: float = Field(default=0.95, ge=0, le=1)
    ent_coef: float = Field(default=0.01, ge=0, le=1)
    hidden: tuple[int, ...] = Field(default=(64, 64), max_length=8)
    checkpoint_steps: int = Field(default=50_000, ge=1)

    @model_validator(mode="after")
    def _seeds_stay_below_the_evaluation(self) -> "TrainConfig":
        """No agent is measured on an episode it was trained on: seeds are taken upwards from here."""
        last = FIRST_SEED - 8 * self.rows - RULE_SEEDS
        if self.seed > last:
            raise ValueError(
                f"--seed: found {self.seed}, wanted at most {last}: later ones are for evaluation"
            )
        return self
