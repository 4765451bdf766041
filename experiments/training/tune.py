"""`reclaim tune`: a search for settings by training runs of their own, each judged on its validation.

Every trial trains in a process of its own, which tells the score of each validation and is ended when it
falls behind or falls silent. The study is a journal in the folder: a search that was killed goes on from it,
and trials that its dead process had under way are written off.
"""

import multiprocessing
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ..run_folder import RunFolder
from ..wording import visible
from . import train
from .learner_tags import COST_RATIO
from .session import Progress
from .tune_config import TuneConfig

JOURNAL = "study.journal"
STUDY = "reclaim"
STARTUP_TRIALS = 5
END_S = 5.0  # for a process that is asked to end


@dataclass(frozen=True)
class Best:
    cost_ratio: float
    settings: dict[str, Any]
    trials: dict[str, int]  # state -> how many


def run(
    config: TuneConfig, folder: Path, trials: int, seed: int, silent_s: float, progress: Progress
) -> Best:
    """Until the folder's study has `trials` finished trials; a trial silent for so long counts as failed."""
    study = _study(folder, seed)
    _write_off(study)
    progress("trials", _finished(study))
    while _finished(study) < trials:
        trial = study.ask()
        _one(study, trial, config, folder, silent_s)
        progress(f"trial {trial.number}", 1)
    return _best(study)


def _study(folder: Path, seed: int) -> Any:
    """The sampler is seeded by how far the search has come, so that going on draws new settings."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
        study_name=STUDY,
        direction="minimize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS),
    )
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), n_startup_trials=STARTUP_TRIALS)
    return study


def _write_off(study: Any) -> None:
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _finished(study: Any) -> int:
    return sum(trial.state.is_finished() for trial in study.trials)


def _one(study: Any, trial: Any, config: TuneConfig, folder: Path, silent_s: float) -> None:
    """One trial to its end, whatever that is."""
    from optuna.trial import TrialState

    mine, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    arguments = (config.asked(trial), folder / f"trial-{trial.number:04d}", theirs)
    process = multiprocessing.get_context("spawn").Process(target=_train, args=arguments, daemon=True)
    process.start()
    theirs.close()
    try:
        state, value = _watch(trial, mine, silent_s)
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    finally:
        _end(process)
    study.tell(trial, value, state=state)


def _watch(trial: Any, scores: Connection, silent_s: float) -> tuple[Any, float | None]:
    """How the trial ended, and its score: the mean of the cost ratios of its last validation."""
    from optuna.trial import TrialState

    value, number = None, 0
    while scores.poll(silent_s):
        try:
            message = scores.recv()
        except EOFError:  # it died
            break
        if message is None:
            return (TrialState.FAIL, None) if value is None else (TrialState.COMPLETE, value)
        value, number = float(message), number + 1
        trial.report(value, number)
        if trial.should_prune():
            return TrialState.PRUNED, None
    return TrialState.FAIL, None


def _end(process: Any) -> None:
    process.terminate()
    process.join(END_S)
    if process.is_alive():
        process.kill()
        process.join()


def _train(asked: dict[str, Any], folder: Path, scores: Connection) -> None:
    """In the trial's own process."""
    try:
        train.run(
            asked,
            folder,
            command="reclaim tune",
            on_validation=lambda points: scores.send(points[COST_RATIO]),
        )
        scores.send(None)
    except Exception:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.txt").write_text(traceback.format_exc())


def _best(study: Any) -> Best:
    from optuna.trial import TrialState

    states = [trial.state.name.lower() for trial in study.trials]
    counts = {state: states.count(state) for state in sorted(set(states))}
    if not study.get_trials(states=(TrialState.COMPLETE,)):
        raise ValueError(
            f"tune: found no trial that ended well ({counts}), wanted one; see error.txt of a trial"
        )
    return Best(study.best_value, study.best_params, counts)


def render(best: Best) -> str:
    counts = ", ".join(f"{number} {state}" for state, number in best.trials.items())
    lines = [f"{name} = {value!r}" for name, value in best.settings.items()]
    return (
        "\n".join([f"# cost ratio {best.cost_ratio:.4f} on the validation; trials: {counts}", *lines]) + "\n"
    )


def open_folder(out: Path | None, resume: Path | None) -> Path:
    """A new folder, or that of a study to go on with."""
    if resume is not None:
        if not (resume / JOURNAL).is_file():
            raise ValueError(f"--resume: {visible(str(resume))}: found no study, wanted the folder of one")
        return resume
    return RunFolder.new(out).path
