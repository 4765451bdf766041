"""Documentation: examples run, commands exist, links lead somewhere, tables are the code's."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from experiments import cli
from experiments.metrics import CGROUP_METRICS, NODE_METRICS, NODE_STATE_METRICS, WORKLOAD_METRICS
from experiments.reference_page import MEANING, reference
from reclaim_env.model.layout import MEMCG, VMSTAT

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHER_PAGES = [*(ROOT / "reclaim_env").rglob("*.md"), *(ROOT / "experiments").rglob("*.md")]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def blocks(language: str) -> list[tuple[str, str]]:
    """(page and place, text) of each fenced block."""
    found = []
    for page in PAGES:
        texts = [text for name, text in BLOCK.findall(page.read_text("utf-8")) if name == language]
        found += [(f"{page.name}-{i}", text) for i, text in enumerate(texts)]
    return found


def commands() -> list[str]:
    lines = [line for _, text in blocks("") for line in text.splitlines()]
    return [line.partition("#")[0].strip() for line in lines if line.startswith("reclaim ")]


def told_in_passing() -> list[str]:
    """Commands in the text of any page, or indented."""
    texts = [page.read_text("utf-8") for page in (*PAGES, *OTHER_PAGES)]
    return [
        found for text in texts for found in re.findall(r"(?:`|^    )(reclaim [^`#\n]+)", text, re.MULTILINE)
    ]


EXAMPLES = dict(blocks("python"))


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_every_example_runs(text, tmp_path):
    if "stable_baselines3" in text:
        pytest.importorskip("stable_baselines3")
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run([sys.executable, "-c", path + text], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_every_command_is_one_with_these_options(line):
    words = shlex.split(line)[1:]
    command: Any = typer.main.get_command(cli.app)
    while hasattr(command, "commands") and not (command.invoke_without_command and words[:1] == ["--json"]):
        assert words and words[0] in command.commands, line
        command, words = command.commands[words[0]], words[1:]
    command.make_context("reclaim", words)


@pytest.mark.parametrize("line", sorted(set(told_in_passing())))
def test_a_command_told_in_passing_exists_with_the_options_it_names(line):
    command: Any = typer.main.get_command(cli.app)
    for word in line.split()[1:]:
        if word.startswith("-") or not hasattr(command, "commands"):
            break
        assert word in command.commands, line
        command = command.commands[word]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", line)) <= known


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    for target in LINK.findall(page.read_text("utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_the_reference_is_what_the_tables_say():
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == reference()


def test_every_metric_that_no_kernel_counts_is_explained():
    of_kernels = {*(VMSTAT.names or ()), *(MEMCG.names or ())}
    for table in (NODE_METRICS, NODE_STATE_METRICS, CGROUP_METRICS, WORKLOAD_METRICS):
        for metric in table:
            assert metric.name in MEANING or metric.name in of_kernels, metric.name
            assert metric.name in MEANING or not metric.name.endswith(("_s", "_ratio", "_mib")), metric.name


def test_every_bundled_scenario_has_its_line_among_the_situations():
    page = (ROOT / "docs" / "situations.md").read_text("utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    bundled = sorted(path.stem for path in (ROOT / "reclaim_env" / "scenarios").glob("*.toml"))
    assert sorted(listed) == bundled
