"""The command `reclaim`: its commands. What is slow to import is imported by the command that needs it."""

import os
import sys
from typing import Any

import typer

from .bench.cli import bench_app
from .benchmark.cli import evaluate, families
from .compare_cli import compare, sensitivity
from .kernel_lab.cli import kernel_app
from .kernel_lab.validate_cli import calibrate_kernel, validate_app
from .questions.cli import falsify, foresight, map_rules, weigh
from .reference_check.cli import validate_reference
from .run_cli import report, validate_results
from .scenario_cli import scenario_app
from .training.cli import import_sb3, train, tune
from .views_cli import picture, rules, watch
from .vmstat.cli import export_app, import_app

app = typer.Typer(
    help="Which rule should reset kswapd_failures? A model of Linux reclaim, its rules and agents, compared.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = {
    "compare": compare,
    "rules": rules,
    "sensitivity": sensitivity,
    "watch": watch,
    "picture": picture,
    "report": report,
    "evaluate": evaluate,
    "families": families,
    "map": map_rules,
    "weights": weigh,
    "falsify": falsify,
    "foresight": foresight,
    "train": train,
    "tune": tune,
    "calibrate": calibrate_kernel,
}
GROUPS = {
    "scenario": scenario_app,
    "import": import_app,
    "export": export_app,
    "kernel": kernel_app,
    "validate": validate_app,
    "bench": bench_app,
}
for name, function in COMMANDS.items():
    app.command(name)(function)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)
import_app.command("sb3")(import_sb3)
validate_app.command("reference")(validate_reference)
validate_app.command("results")(validate_results)


# By version, typer carries a click of its own or imports one: the ancestor of usage errors is found by name.
USAGE_ERRORS: Any = tuple(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def main() -> None:
    """Bad input: one line and 2. Ctrl-C: 130. What was finished is in the ledger either way."""
    try:
        command = typer.main.get_command(app)
        code = command.main(sys.argv[1:] or ["--help"], prog_name="reclaim", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except USAGE_ERRORS as error:
        _refuse(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ValueError as error:
        _refuse(str(error))
    except OSError as error:  # a full or failing disk: what is in the ledger stays
        sys.exit(f"reclaim: {error.strerror}: {error.filename or 'output'}")


def _refuse(message: str) -> None:
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    sys.stderr.write(f"reclaim: {line}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
