"""Finished pairs of episodes in a folder, so that an interrupted comparison can be gone on with."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from .. import files
from ..identity import source_hash
from . import sides
from .sides import Series
from .variants import Variant


class Kept:
    """One file a variant and seed, named by all that its numbers depend on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "episodes"
        self._sampling = hashlib.sha256(Path(sides.__file__).read_bytes()).hexdigest()

    def get(self, variant: Variant, seed: int) -> tuple[Series, Series] | None:
        path = self._path(variant, seed)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as stored:
            found = [{name[2:]: stored[name] for name in stored.files if name[0] == side} for side in "fe"]
        return found[0], found[1]

    def put(self, variant: Variant, seed: int, pair: tuple[Series, Series]) -> None:
        named = {
            f"{side} {name}": values
            for side, one in zip("fe", pair, strict=True)
            for name, values in one.items()
        }
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **named)
        files.write_bytes(self._path(variant, seed), content.getvalue())

    def _path(self, variant: Variant, seed: int) -> Path:
        parts = [
            variant.scenario.model_dump_json(),
            variant.rule,
            variant.kernel,
            seed,
            source_hash(),
            self._sampling,
        ]
        return self._folder / f"{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]}.npz"
