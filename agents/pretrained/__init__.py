"""Trained agents that come with the package; each file says the command that makes it again."""

from pathlib import Path


def files() -> tuple[Path, ...]:
    """Policy files, by name."""
    return tuple(sorted(Path(__file__).parent.glob("*.safetensors")))
