"""The folder of a run: what was asked, what is finished, and the reports of it."""

import contextlib
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

from . import files
from .wording import visible

FORMAT = "reclaim-run-1"
MANIFEST = "manifest.json"


class RunFolderError(ValueError):
    """One line: which folder, what was found, what was wanted."""


class RunFolder:
    """`<out>` if named, else a new runs/<utc>-<hex>; a named one that holds a run is gone on with."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, out: Path | None, kind: str = "compare") -> "RunFolder":
        try:
            return cls(_new_folder(Path("runs")) if out is None else _named_folder(out, kind))
        except OSError as error:
            where = visible(str(out or "runs"))
            raise RunFolderError(
                f"--out: {where}: found {error.strerror}, wanted a writable folder"
            ) from None

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.sqlite"

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


def _named_folder(path: Path, kind: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()) and _kind_of(path / MANIFEST) != (FORMAT, kind):
        found = "files of something else"
        raise RunFolderError(
            f"--out: {visible(str(path))}: found {found}, wanted a new folder or one of a run"
        )
    probe = path / f".probe-{secrets.token_hex(3)}"
    probe.touch()
    probe.unlink()
    return path


def _kind_of(manifest: Path) -> tuple[object, object]:
    try:
        content = json.loads(manifest.read_text())
    except (OSError, ValueError, RecursionError):
        return None, None
    return (content.get("format"), content.get("kind")) if isinstance(content, dict) else (None, None)
