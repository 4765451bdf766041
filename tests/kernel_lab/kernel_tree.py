"""A made-up source: every file the change edits, with its anchors and nothing else of a kernel."""

from pathlib import Path

from experiments.kernel_lab.change import EDITS

MAKEFILE = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\n"


def make_tree(root: Path) -> Path:
    anchors: dict[str, list[str]] = {}
    for edit in EDITS:
        anchors.setdefault(edit.file, []).append(edit.anchor)
    write(root / "Makefile", MAKEFILE)
    for file, lines in anchors.items():
        write(root / file, "\n/* between */\n".join(lines) + "\n")
    return root


def contents(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
