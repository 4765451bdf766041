"""The folder of a run: what was asked, what is finished, and the reports of it."""

import contextlib
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import files
from .wording import visible

FORMAT = "reclaim-run-1"
MANIFEST = "manifest.json"
LEDGER = "ledger.sqlite"
MAX_MANIFEST_BYTES = 16 * 2**20


class RunFolderError(ValueError):
    """One line: which folder, what was found, what was wanted."""


class RunFolder:
    """`<out>` if named, else a new runs/<utc>-<hex>; a named one that holds a run is gone on with."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, out: Path | None, kind: str | None = "compare") -> "RunFolder":
        try:
            return cls(_new_folder(Path("runs")) if out is None else _named_folder(out, kind))
        except OSError as error:
            where = visible(str(out or "runs"))
            raise RunFolderError(
                f"--out: {where}: found {error.strerror}, wanted a writable folder"
            ) from None

    @classmethod
    def new(cls, out: Path | None) -> "RunFolder":
        """One in which there is nothing yet."""
        return cls.open(out, None)

    @classmethod
    def of_run(cls, path: Path, *kinds: str) -> "RunFolder":
        """One that holds a run with a ledger, of one of these kinds where any is named."""
        where, content = visible(str(path)), _content(path / MANIFEST)
        wanted = f"one of {' or '.join(kinds)}" if kinds else "the folder of one"
        if content.get("format") != FORMAT or not (path / LEDGER).is_file():
            raise RunFolderError(f"{where}: found no run, wanted {wanted}")
        kind = content.get("kind")
        if kinds and kind not in kinds:
            raise RunFolderError(f"{where}: found a run of {visible(str(kind))}, wanted {wanted}")
        return cls(path)

    def manifest(self) -> dict[str, Any]:
        return _content(self.path / MANIFEST)

    @property
    def ledger(self) -> Path:
        return self.path / LEDGER

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def write_manifest(self, content: dict[str, object]) -> None:
        files.write_json(self.path / MANIFEST, {"format": FORMAT, **content})

    def write_text(self, name: str, text: str) -> None:
        files.write_text(self.path / name, text)

    def write_reports(self, text: str, html: str) -> None:
        files.write_text(self.path / "report.txt", text)
        files.write_text(self.report, html)


def _new_folder(parent: Path) -> Path:
    while True:
        path = parent / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        with contextlib.suppress(FileExistsError):  # somebody drew the same number
            path.mkdir(parents=True)
            return path


def _named_folder(path: Path, kind: str | None) -> Path:
    """Empty, or with a run of this kind in it, if of any."""
    path.mkdir(parents=True, exist_ok=True)
    content = _content(path / MANIFEST)
    there = str(content.get("kind")) if content.get("format") == FORMAT else None
    if any(path.iterdir()) and (kind is None or there != kind):
        found = "files of something else" if there is None else f"a run of {visible(there)}"
        wanted = "a new folder (or --resume)" if kind is None else f"a new folder or one of {kind}"
        raise RunFolderError(f"--out: {visible(str(path))}: found {found}, wanted {wanted}")
    probe = path / f".probe-{secrets.token_hex(3)}"
    probe.touch()
    probe.unlink()
    return path


def _content(manifest: Path) -> dict[str, Any]:
    """Nothing where there is none, or none of ours."""
    try:
        with manifest.open("rb") as file:
            content = json.loads(file.read(MAX_MANIFEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
