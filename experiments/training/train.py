"""`reclaim train`: an agent learns beside the kernel's rules; `reclaim compare --agent` takes its file."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.policy_file import parse_policy

from .. import files
from ..ceiling import ORACLE
from ..contender import Contender, of_rule
from ..identity import provenance, source_hash
from ..reporting.tensorboard import FILE_NAME, encoded
from ..results import BASELINES
from ..run_folder import RunFolder
from ..wording import slug, visible
from .lessons import Lesson, lessons
from .session import Progress, Session
from .stored import AGENT_NAME, stored_config, stored_usual_costs_s
from .train_config import TrainConfig, config_of
from .validation import Measured, Validation, usual_costs_s, validation_points

MAX_COMMAND = 1000
LEARN_PACKAGES = ("torch", "stable_baselines3", "sb3_contrib")


class Interrupted(Exception):
    """SIGINT or SIGTERM arrived; the run folder holds a checkpoint of all that was learned."""

    def __init__(self, folder: Path, signum: int):
        super().__init__(f"interrupted; go on with --resume {visible(str(folder))}")
        self.folder, self.exit_code = folder, 128 + signum


def run(
    asked: Mapping[str, Any],
    out: Path | None = None,
    resume: Path | None = None,
    command: str = "reclaim train",
    progress: Progress = lambda words, steps: None,
    on_validation: Callable[[Mapping[str, float]], None] = lambda points: None,
) -> Path:
    """Trains and returns the run folder: manifest, checkpoints, tensorboard/, agent.safetensors.

    asked: fields of a TrainConfig, the others have defaults. With `resume` the config is the run's, and only
    `steps` may change. on_validation gets the points of each validation. ValueError: one line for the user.
    """
    _require_learning_packages()
    if resume is not None:
        _refuse_beside_resume(asked, out)
        folder, config = _resumed(resume, asked.get("steps"))
        command = _whole_command(folder, config, "steps" in asked)
    else:
        folder, config = None, config_of(dict(asked))
    taught, validated = lessons(config.scenarios), lessons(config.validation or config.scenarios)
    for lesson in (*taught, *validated):
        config.setting.check_clock(lesson.scenarios)
    if folder is None:
        folder = RunFolder.new(out).path
    return _Run(folder, config, taught, validated, command, progress, on_validation).go()


def planned_steps(asked: Mapping[str, Any], resume: Path | None) -> int:
    """For a progress bar, before a run begins."""
    if resume is None:
        return config_of(dict(asked)).steps
    return asked.get("steps") or stored_config(resume, "--resume: ").steps


class _Run:
    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        taught: Sequence[Lesson],
        validated: Sequence[Lesson],
        command: str,
        progress: Progress,
        on_validation: Callable[[Mapping[str, float]], None],
    ):
        self._folder, self._config, self._taught = folder, config, taught
        self._command, self._progress, self._on_validation = command, progress, on_validation
        self._began, self._started = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self._validation = Validation(validated, config.setting)
        self._training = Validation(taught, config.setting)
        self._usual: dict[str, dict[str, float]] = {}

    def go(self) -> Path:
        self._usual = self._usual_of_the_run()
        self._note("running")
        try:
            if not self._usual:
                self._usual = self._run_rules()
                self._note("running")
            signum = self._learn()
        except BaseException as error:
            self._note("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        self._note("interrupted" if signum else "complete")
        if signum:
            raise Interrupted(self._folder, signum)
        return self._folder

    def _usual_of_the_run(self) -> dict[str, dict[str, float]]:
        """As a resumed run noted it; nothing for a new run, or one whose lines must become longer."""
        noted = stored_usual_costs_s(self._folder)
        wanted = {"training": set(self._training.names), "validation": set(self._validation.names)}
        manifest = RunFolder(self._folder).manifest()
        told = manifest.get("config") == self._config.model_dump(mode="json")
        return noted if told and {part: set(costs_s) for part, costs_s in noted.items()} == wanted else {}

    def _note(self, status: str) -> None:
        """The manifest is written first and last, so that a folder always says what it is."""
        content = {
            "kind": "train",
            "status": status,
            "command": self._command,
            "config": self._config.model_dump(mode="json"),
            "usual_cost_s": self._usual,
            **provenance(),
            "started_utc": self._started,
            "wall_s": round(time.monotonic() - self._began, 1),
        }
        RunFolder(self._folder).write_manifest(content)

    def _run_rules(self) -> dict[str, dict[str, float]]:
        """What lessons usually cost; and each of its lines as a TensorBoard run with the agent's tags."""
        same = self._validation.scenarios == self._training.scenarios
        rules = dict.fromkeys((*BASELINES, *self._config.lines))
        measured = {rule: self._rule(self._validation, rule) for rule in rules}
        usual = usual_costs_s(measured)
        if self._config.oracle_episodes:
            self._progress("the oracle", 0)
            measured[ORACLE] = self._validation.measure_oracle(self._config.oracle_episodes)
        for rule, found in measured.items():
            self._write_line(rule, validation_points(found, usual))
        if same:
            return {"training": usual, "validation": usual}
        taught = {rule: self._rule(self._training, rule) for rule in BASELINES}
        return {"training": usual_costs_s(taught), "validation": usual}

    def _rule(self, validation: Validation, rule: str) -> Measured:
        self._progress(f"rule {rule}", 0)
        return validation.measure(of_rule(rule))

    def _write_line(self, rule: str, points: Mapping[str, float]) -> None:
        """A rule does not learn: its line spans the agent's axis."""
        name = ORACLE if rule == ORACLE else f"rule_{slug(rule)}"
        path = self._folder / "tensorboard" / name / FILE_NAME
        files.write_bytes(path, encoded([(0, points), (self._config.steps, points)]))

    def _learn(self) -> int:
        """Trains to the end, or to the signal whose number is returned, or 0."""
        import torch

        from . import learner, supervised

        torch.set_num_threads(1)
        with _signals() as received:
            session = Session(
                folder=self._folder,
                config=self._config,
                taught=self._taught,
                usual_cost_s=self._usual["training"],
                command=self._command,
                progress=self._progress,
                stopped=lambda: bool(received),
                validate=self._validated,
            )
            learn = supervised.learn if self._config.algo == "supervised" else learner.learn
            files.write_bytes(self._folder / AGENT_NAME, learn(session))
        return received[0] if received else 0

    def _validated(self, policy_file: bytes) -> dict[str, float]:
        """A policy as its file says it, on the episodes the rules were measured on."""
        self._progress("validating", 0)
        measured = self._validation.measure(Contender("trained", "", parse_policy(policy_file)))
        points = validation_points(measured, self._usual["validation"])
        self._on_validation(points)
        return points


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Collects the first SIGINT or SIGTERM; the second acts as it always did."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: object) -> None:
        received.append(number)
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        restore()


def _refuse_beside_resume(asked: Mapping[str, Any], out: Path | None) -> None:
    beside = [name for name in asked if name != "steps"] + ["out"] * (out is not None)
    if beside:
        wanted = "steps or nothing: a run goes on as it began"
        raise ValueError(f"--resume: found {', '.join(beside)} beside it, wanted {wanted}")


def _resumed(folder: Path, steps: int | None) -> tuple[Path, TrainConfig]:
    config = stored_config(folder, "--resume: ")
    if RunFolder(folder).manifest().get("source_hash") != source_hash():
        wanted = "a run of today's sources: the command it records would not make its agent again"
        raise ValueError(f"--resume: {visible(str(folder))}: found one of other sources, wanted {wanted}")
    if steps is None:
        return folder, config
    trained = _trained_steps(folder)
    if steps < trained:
        raise ValueError(f"--steps: found {steps}, wanted at least the {trained} the run has made")
    return folder, config.model_copy(update={"steps": steps})


def _trained_steps(folder: Path) -> int:
    """Of stable-baselines3; 0 where there is no checkpoint."""
    from .checkpoints import CHECKPOINTS, checkpoints, steps_of

    return max(map(steps_of, checkpoints(folder / CHECKPOINTS)), default=0)


def _whole_command(folder: Path, config: TrainConfig, is_longer: bool) -> str:
    """What made the agent: how its run began, and each step from which it went on.

    There stable-baselines3's episodes begin anew, and another agent comes of it than of a run in one go. What
    has nothing left to learn, or learned nothing yet, or goes on from whole rounds of labels, is the same.
    """
    first = str(RunFolder(folder).manifest().get("command", ""))[:MAX_COMMAND]
    trained = _trained_steps(folder)
    if not is_longer and not 0 < trained < config.steps:
        return first
    longer = f" --steps {config.steps}" if is_longer else ""
    return f"{first} && reclaim train --resume RUN{longer}" + (f" # from step {trained}" if trained else "")


def _require_learning_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in LEARN_PACKAGES if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"train: found no {' and no '.join(missing)}, wanted pip install 'reclaim-env[learn]'"
        )
