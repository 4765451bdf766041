"""`reclaim train`: an agent learns beside the kernel's rules; `reclaim compare --agent` takes its file."""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from reclaim_env.reset_rules import RULES
from reclaim_env.scenario import Scenario, load

from . import evaluate as evaluation
from . import files
from .contender import of_rule
from .identity import Setting, commit, machine, source_hash, usable_cpus, versions
from .learner_tags import TRACKED
from .metrics import tag
from .results import BASELINES
from .run_folder import MANIFEST, RunFolder
from .tensorboard import FILE_NAME, encoded
from .train_config import RULE_SEEDS, TrainConfig, as_fields, config_of
from .wording import visible

AGENT_NAME = "agent.safetensors"
CHECKPOINTS = "checkpoints"
MAX_MANIFEST_BYTES = 256 * 2**10
LEARN_PACKAGES = ("torch", "stable_baselines3", "sb3_contrib")

Progress = Callable[[str, int], None]  # what is under way, node decisions since the last call


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
) -> Path:
    """Trains and returns the run folder: manifest, checkpoints, tensorboard/, agent.safetensors.

    asked: fields of a TrainConfig, the others have defaults. With `resume` the config is the run's, and only
    `steps` may change. ValueError: one line for the user.
    """
    _require_learning_packages()
    if resume is not None:
        folder, config = _resumed(resume, asked.get("steps"))
    else:
        folder, config = None, config_of(dict(asked))
    setting, loaded = Setting(config.kernel, config.weights), _scenarios(config)
    if folder is None:
        folder = _new_folder(out)
    return _Run(folder, config, setting, loaded, command, progress).go()


def planned_steps(asked: Mapping[str, Any]) -> int:
    """For a progress bar, before a run begins."""
    return asked.get("steps") or TrainConfig.model_fields["steps"].default


class _Run:
    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        setting: Setting,
        scenarios: list[Scenario],
        command: str,
        progress: Progress,
    ):
        self._folder, self._config, self._setting, self._scenarios = folder, config, setting, scenarios
        self._command, self._progress = command, progress
        self._began, self._started = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self._usual_cost_s: dict[str, float] = {}

    def go(self) -> Path:
        self._usual_cost_s = self._usual_cost_of_the_run()
        self._note("running")
        try:
            if not self._usual_cost_s:
                self._usual_cost_s = self._run_rules()
                self._note("running")
            signum = self._learn()
        except BaseException as error:
            self._note("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        self._note("interrupted" if signum else "complete")
        if signum:
            raise Interrupted(self._folder, signum)
        return self._folder

    def _usual_cost_of_the_run(self) -> dict[str, float]:
        """As a resumed run noted it; nothing for a new run, or one whose lines must become longer."""
        manifest = _read_manifest(self._folder)
        noted, config = manifest.get("usual_cost_s"), self._config.model_dump(mode="json")
        names = {scenario.name for scenario in self._scenarios}
        if manifest.get("config") != config or not isinstance(noted, dict) or set(noted) != names:
            return {}
        return noted if all(isinstance(cost, float) and cost > 0 for cost in noted.values()) else {}

    def _note(self, status: str) -> None:
        """The manifest is written first and last, so that a folder always says what it is."""
        content = {
            "format": "reclaim-run-1",
            "kind": "train",
            "status": status,
            "command": self._command,
            "config": self._config.model_dump(mode="json"),
            "usual_cost_s": self._usual_cost_s,
            "commit": commit(),
            "source": source_hash(),
            "versions": versions(),
            "machine": machine(),
            "started": self._started,
            "wall_s": round(time.monotonic() - self._began, 1),
        }
        files.write_json(self._folder / MANIFEST, content)

    def _run_rules(self) -> dict[str, float]:
        """Every rule as a TensorBoard run with the agent's tags; returns each scenario's usual step cost.

        The usual cost of a scenario is what a node costs per step under the worse of the two baselines.
        """
        config, setting = self._config, self._setting
        first = config.seed + 8 * config.rows  # none of the agent's own seeds
        seeds = list(range(first, first + RULE_SEEDS))
        usual = dict.fromkeys((scenario.name for scenario in self._scenarios), 0.0)
        for name in RULES:
            measured: list[dict[str, np.ndarray]] = []
            for scenario in self._scenarios:
                self._progress(f"rule {name} on {scenario.name}", 0)
                found = evaluation.evaluate(scenario, of_rule(name), seeds, setting).metrics
                measured.append(found)
                if name in BASELINES:
                    steps = evaluation.nr_steps(scenario, setting) * len(scenario.node)
                    cost_s = float(found["cost_s"].mean()) / steps
                    usual[scenario.name] = max(usual[scenario.name], cost_s)
            self._write_line(name, measured)
        return {name: cost_s or 1.0 for name, cost_s in usual.items()}

    def _write_line(self, rule: str, measured: list[dict[str, np.ndarray]]) -> None:
        """A rule does not learn: its line spans the agent's axis."""
        means = {name: float(np.mean([found[name] for found in measured])) for name in (*TRACKED, "cost_s")}
        points: dict[str, float | None] = {tag(name): value for name, value in means.items()}
        points["rollout/ep_rew_mean"] = -means["cost_s"] / len(self._scenarios[0].node)
        path = self._folder / "tensorboard" / f"rule_{rule}" / FILE_NAME
        files.write_bytes(path, encoded([(0, points), (self._config.steps, points)]))

    def _learn(self) -> int:
        """Trains to the end, or to the signal whose number is returned, or 0."""
        import torch

        from . import algorithms, learner

        torch.set_num_threads(1)
        config, saved = self._config, self._folder / CHECKPOINTS
        costs_s = [self._usual_cost_s.get(scenario.name, 1.0) for scenario in self._scenarios]
        env = learner.make_env(config, self._scenarios, costs_s, usable_cpus())
        with contextlib.closing(env), _signals() as received:
            model = algorithms.make_model(config, env)
            if earlier := learner.checkpoints(saved):
                learner.load_checkpoint(model, earlier[-1])
                self._progress("resumed", model.num_timesteps)
            learner.log_to(model, self._folder / "tensorboard" / config.algo)
            watch = learner.Watch(
                saved, config.checkpoint_steps, env.slots_of_rows, lambda: bool(received), self._progress
            )
            if config.steps > model.num_timesteps:
                model.learn(
                    config.steps - model.num_timesteps,
                    watch,
                    log_interval=algorithms.log_interval(config, env),
                    reset_num_timesteps=False,
                )
            steps = watch.trained_steps if received else model.num_timesteps
            learner.save_checkpoint(model, saved, steps)
            files.write_bytes(self._folder / AGENT_NAME, learner.exported(model, config, self._command))
        return received[0] if received else 0


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


def _scenarios(config: TrainConfig) -> list[Scenario]:
    loaded = [load(name) for name in config.scenarios]
    if len({scenario.name for scenario in loaded}) < len(loaded):
        found = ", ".join(scenario.name for scenario in loaded)
        raise ValueError(f"--scenario: found {visible(found)}, wanted names that differ")
    lengths = {scenario.duration_s for scenario in loaded}
    if len(lengths) > 1:
        found = ", ".join(f"{length:g}" for length in sorted(lengths))
        raise ValueError(f"--scenario: found episodes of {found} s, wanted the same duration_s in all")
    return loaded


def _new_folder(out: Path | None) -> Path:
    folder = RunFolder.open(out).path
    if any(folder.iterdir()):
        raise ValueError(f"--out: {visible(str(folder))}: found a run, wanted a new folder (or --resume)")
    return folder


def _resumed(folder: Path, steps: int | None) -> tuple[Path, TrainConfig]:
    manifest = _read_manifest(folder)
    if manifest.get("kind") != "train":
        raise ValueError(f"--resume: {visible(str(folder))}: found no training run, wanted the folder of one")
    try:
        stored = dict(manifest["config"])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"--resume: {MANIFEST}: found no config, wanted that of a training run") from None
    config = config_of(as_fields(stored), f"--resume: config in {MANIFEST}: ")
    if steps is None:
        return folder, config
    from .learner import checkpoints, steps_of

    trained = max(map(steps_of, checkpoints(folder / CHECKPOINTS)), default=0)
    if steps < trained:
        raise ValueError(f"--steps: found {steps}, wanted at least the {trained} the run has made")
    return folder, config.model_copy(update={"steps": steps})


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Empty when there is none that can be read."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            content = json.loads(file.read(MAX_MANIFEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _require_learning_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in LEARN_PACKAGES if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"train: found no {' and no '.join(missing)}, wanted pip install 'reclaim-env[learn]'"
        )
