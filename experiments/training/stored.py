"""A training run as its folder says it: what it was asked, and what its lessons usually cost."""

from pathlib import Path
from typing import Any

from pydantic import PositiveFloat, TypeAdapter, ValidationError

from ..run_folder import MANIFEST, RunFolder
from ..wording import visible
from .train_config import SupervisedConfig, TrainConfig, as_fields, config_of

AGENT_NAME = "agent.safetensors"
USUAL_COSTS_S = TypeAdapter(dict[str, dict[str, PositiveFloat]])


def stored_config(folder: Path, option: str = "") -> TrainConfig:
    """A ValueError names the folder, and before it the option that gave it, if one did."""
    where, manifest = f"{option}{visible(str(folder))}: ", RunFolder(folder).manifest()
    if manifest.get("kind") != "train":
        raise ValueError(f"{where}found no training run, wanted the folder of one")
    config: Any = manifest.get("config")
    if not isinstance(config, dict):
        raise ValueError(f"{where}{MANIFEST}: found no config, wanted that of a training run")
    return config_of(as_fields(config), f"{where}config in {MANIFEST}: ")


def stored_supervised_config(folder: Path) -> SupervisedConfig:
    """The same; a ValueError where it was run by another algorithm."""
    config = stored_config(folder)
    if not isinstance(config, SupervisedConfig):
        raise ValueError(f"{visible(str(folder))}: found a run of {config.algo}, wanted one of supervised")
    return config


def stored_usual_costs_s(folder: Path) -> dict[str, dict[str, float]]:
    """training or validation -> lesson -> cost of an episode; empty where the run has not noted them."""
    try:
        return USUAL_COSTS_S.validate_python(RunFolder(folder).manifest().get("usual_cost_s"))
    except ValidationError:
        return {}
