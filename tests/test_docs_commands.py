"""The command lines of the documentation are run as they stand, some of them with less to do."""

import shlex
import shutil
from pathlib import Path

import pytest

from experiments import cli
from experiments.capture.capture import capture
from tests.capture.trees import host
from tests.test_docs import ROOT, commands

# Options given besides: of two of a name the last counts, but for lists. The first command that fits counts.
SHORTER = {
    "reclaim scenario capture": "--seconds 0",
    "reclaim compare --rule all": "--seeds 1 --scenario mine.toml",
    "reclaim compare": "--seeds 1",
    "reclaim watch": "--speed 1e6",
    "reclaim families": "--family control --rule gap --seeds 4",
    "reclaim evaluate": "--family control --rule gap --seeds 2 --budget 1",
    "reclaim map": "--rule gap --points 2 --seeds 2",
    "reclaim weights": "--rule gap --seeds 2",
    "reclaim foresight": "--rule gap --seeds 2 --budget 2",
    "reclaim train": "--steps 2048",
}
NOT_RUN = {
    "reclaim bench": "minutes: it times",
    "reclaim sensitivity": "minutes: it sweeps every assumed number; tests/experiments/test_sensitivity.py",
    "reclaim falsify": "minutes: it searches; tests/experiments/test_falsify.py",
    "reclaim kernel build": "the kernel's source and a compiler; tests/kernel_lab",
    "reclaim kernel run": "QEMU and a kernel that was built; tests/kernel_lab",
    "reclaim calibrate": "recorded boots in DIR, and minutes; tests/kernel_lab",
    "reclaim validate kernel": "minutes: every recorded boot in the model; tests/kernel_lab",
    "reclaim validate reference": "minutes: the simulator of single pages; tests/reference",
}


def said_of(line: str, table: dict[str, str]) -> str | None:
    """What the table says of the command that the line begins with."""
    return next((said for command, said in table.items() if f"{line} ".startswith(f"{command} ")), None)


RUN = sorted(line for line in set(commands()) if said_of(line, NOT_RUN) is None)


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [*shlex.split(line), *shlex.split(said_of(line, SHORTER) or "")]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """What the lines take for granted: a table, a captured host, a finished run, snapshots."""
    folder = tmp_path_factory.mktemp("given")
    shutil.copy(ROOT / "reclaim_env/scenarios/incident.numastat.txt", folder / "table.txt")
    capture(folder / "mine.toml", 0, host(folder / "host"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        run("reclaim compare --scenario mine.toml --rule gap --out runs/mine", monkeypatch)
        run("reclaim export vmstat --scenario mine.toml --every-ms 1000 --out DIR", monkeypatch)
        run("reclaim evaluate --out runs/all", monkeypatch)
    return folder


@pytest.mark.parametrize("line", RUN)
def test_every_command_line_runs(line, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "--out" not in line or "--resume" in line:
        shutil.copytree(given, tmp_path, dirs_exist_ok=True)
    run(line, monkeypatch)


@pytest.mark.parametrize("table", [SHORTER, NOT_RUN], ids=["shorter", "not run"])
def test_no_line_is_excused_that_is_not_there(table):
    for command in table:
        assert any(said_of(line, {command: "found"}) for line in commands()), command
