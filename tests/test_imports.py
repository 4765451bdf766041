"""Who may import what, where import-linter cannot say it, and what a command must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import reclaim_env.model

MODEL = sorted(Path(reclaim_env.model.__file__ or "").parent.glob("*.py"))
COMPILING = {"numpy", "numba", "llvmlite"}  # the last is numba's own way to say an instruction
LEARNING = ("torch", "stable_baselines3")


def imported(source: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{source.name}: the model says in full what it imports"
            modules.add(node.module or "")
    return modules


@pytest.mark.parametrize("source", MODEL, ids=lambda source: source.stem)
def test_the_model_imports_what_compiles_it_and_itself(source):
    for module in imported(source):
        own = module == "reclaim_env.model" or module.startswith("reclaim_env.model.")
        root = module.partition(".")[0]
        assert own or root in COMPILING | sys.stdlib_module_names, module


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import reclaim_env, reclaim_env.env, agents, agents.registry", (*LEARNING, "matplotlib")),
        ("from agents import registry; registry.names()", LEARNING),
    ],
    ids=["environment", "agents"],
)
def test_what_is_slow_to_load_is_left_alone(code, unwanted):
    check = f"import atexit, sys\natexit.register(lambda: print(*sys.modules))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=120, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "reclaim_env" in loaded or "experiments" in loaded
    assert not loaded & set(unwanted)
