"""stable-baselines3's archives: written whole or not at all, and read without running what is in them."""

import io
import re
import zipfile
from pathlib import Path

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file

from .. import files

CHECKPOINTS = "checkpoints"
CHECKPOINT_NAME = re.compile(r"step-\d{12}\.zip")
CHECKPOINT_MEMBERS = {
    "data",
    "policy.pth",
    "policy.optimizer.pth",
    "pytorch_variables.pth",
    "_stable_baselines3_version",
    "system_info.txt",
}
MAX_CHECKPOINT_BYTES = 64 * 2**20
KEPT_CHECKPOINTS = 2


class Diverged(ValueError):
    """A NaN or an infinity where a number belongs; what was saved before it is good."""


def checkpoints(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(path for path in folder.glob("step-*.zip") if CHECKPOINT_NAME.fullmatch(path.name))


def steps_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.removeprefix("step-"))


def save_checkpoint(model: BaseAlgorithm, folder: Path, steps: int) -> None:
    """All of it or none; the last few are kept."""
    refuse_non_finite(model)
    buffer = io.BytesIO()
    model.save(buffer)
    files.write_bytes(folder / f"step-{steps:012d}.zip", buffer.getvalue())
    for old in checkpoints(folder)[:-KEPT_CHECKPOINTS]:
        old.unlink()


def load_checkpoint(model: BaseAlgorithm, path: Path) -> None:
    load_weights(model, path)
    model.num_timesteps = steps_of(path)


def load_weights(model: BaseAlgorithm, path: Path) -> None:
    """An SB3 archive's weights and optimiser, which must fit: SB3's load() would run a stranger's code."""
    _refuse_archive(path)
    try:
        _, parameters, _ = load_from_zip_file(path, device="cpu", load_data=False)
        model.set_parameters(parameters, exact_match=True, device="cpu")
    except Exception as error:  # torch and zipfile raise a dozen kinds for a damaged file
        raise ValueError(
            f"{path.name}: found {type(error).__name__}, wanted a checkpoint of such a model"
        ) from None
    refuse_non_finite(model)


def _refuse_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except FileNotFoundError:
        raise ValueError(f"{path.name}: found no such file, wanted a checkpoint") from None
    except (OSError, zipfile.BadZipFile):
        raise ValueError(f"{path.name}: found a damaged file, wanted a checkpoint") from None
    if not {member.filename for member in members} <= CHECKPOINT_MEMBERS:
        raise ValueError(f"{path.name}: found members of something else, wanted a checkpoint")
    if sum(member.file_size for member in members) > MAX_CHECKPOINT_BYTES:
        raise ValueError(f"{path.name}: found more than {MAX_CHECKPOINT_BYTES} bytes, wanted a checkpoint")


def refuse_non_finite(model: BaseAlgorithm) -> None:
    for name, parameter in model.policy.named_parameters():
        if not torch.isfinite(parameter).all():
            raise Diverged(f"training: found a NaN or infinity in {name} at step {model.num_timesteps}")
