"""One policy of what several runs have labelled: `python -m experiments.training.pooled FILE RUN...`

Runs of one config and different seeds visit different episodes, and each labels what its own policy meets.
Nothing is labelled again: the labels of all are fitted once, as each run fits its own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from agents.policy_file import load_policy

from .. import files
from .stored import AGENT_NAME, stored_supervised_config
from .supervised import Labels, fitted, kept_labels


def pooled(runs: Sequence[Path], command: str) -> bytes:
    """The policy file, begun with the first run's seed; a ValueError where the runs are not of one config."""
    configs = [stored_supervised_config(run) for run in runs]
    for run, config in zip(runs, configs, strict=True):
        if config.model_copy(update={"seed": configs[0].seed}) != configs[0]:
            raise ValueError(f"{run}: found another config, wanted that of {runs[0]} and another seed")
    spec = load_policy(runs[0] / AGENT_NAME).spec.model_copy(update={"made_by": command})
    return fitted(Labels.joined([kept_labels(run) for run in runs]), configs[0], spec)


def main(arguments: Sequence[str]) -> None:
    if len(arguments) < 2:
        raise SystemExit(f"found {len(arguments)} arguments, wanted FILE and one RUN at least")
    path, *runs = map(Path, arguments)
    if path.exists():
        raise SystemExit(f"{path}: found something there, wanted a new file")
    names = " ".join(run.name for run in runs)
    try:
        policy = pooled(runs, f"python -m experiments.training.pooled {path.name} {names}")
    except ValueError as error:
        raise SystemExit(str(error)) from None
    files.write_bytes(path, policy)


if __name__ == "__main__":
    main(sys.argv[1:])
