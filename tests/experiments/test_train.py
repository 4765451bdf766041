"""A training run: its folder, its interruption and resumption, and what stops it."""

import base64
import json
import os
import pickle
import signal
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.policy_file import PolicySpec, load_policy, parse_policy
from experiments import cli, identity
from experiments.benchmark.request import REFERENCE_SEEDS
from experiments.evaluate import FIRST_SEED
from experiments.metrics import tag
from experiments.training import (
    algorithms,
    checkpoints,
    learner,
    lessons,
    pooled,
    supervised,
    train,
    train_config,
    visits,
)
from experiments.training.learner_tags import COST_RATIO, MEAN_REWARD, TRACKED
from experiments.training.lessons import Lesson
from reclaim_env.reset_rules import KERNEL_RULES, RULES
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively


def toy(name: str) -> Scenario:
    return lively(name).model_copy(update={"duration_s": 8.0}) if name == "longer" else lively(name)


@pytest.fixture
def small(monkeypatch):
    """Two rows of the toy, rollouts of 20 steps: 80 decisions each, an episode every 40 steps."""

    class Small(train_config.PpoConfig):
        rows: int = 2
        rollout_steps: int = 20
        batch_size: int = 40
        epochs: int = 1
        checkpoint_steps: int = 160
        validate_steps: int = 160
        hidden: tuple[int, ...] = (8,)

    monkeypatch.setitem(train_config.CONFIGS, "ppo", Small)
    monkeypatch.setitem(algorithms._MAKERS, Small, algorithms._MAKERS[train_config.PpoConfig])
    monkeypatch.setattr(lessons, "load_all", lambda names: [toy(name) for name in names])


def run(out: Path, steps: int = 480, **arguments) -> Path:
    progress = arguments.pop("progress", lambda words, steps: None)
    return train.run({"scenarios": ("lively",), "steps": steps, **arguments}, out, None, "test", progress)


def resume(folder: Path, **asked) -> Path:
    return train.run(asked, resume=folder)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {name: [(e.step, e.value) for e in events.Scalars(name)] for name in events.Tags()["scalars"]}


@pytest.mark.usefixtures("small")
def test_a_run_leaves_all_that_the_next_command_needs(tmp_path):
    done = []
    folder = run(tmp_path / "run", progress=lambda words, steps: done.append(steps))
    assert sum(done) == 480
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "complete" and manifest["kind"] == "train" and manifest["command"] == "test"
    assert (
        manifest["config"]["scenarios"] == ["lively"] and manifest["usual_cost_s"]["training"]["lively"] > 0
    )
    agent = load_policy(folder / "agent.safetensors")
    env = ReclaimVectorEnv(1, scenario=lively(), **agent.env_arguments)
    agent.check_features(env.features)
    steps = [int(path.name[5:17]) for path in checkpoints.checkpoints(folder / "checkpoints")]
    assert steps == [320, 480]
    assert not [path for path in folder.rglob("*") if path.name.startswith(".tmp")]


@pytest.mark.usefixtures("small")
def test_the_rules_are_lines_of_the_agents_tags(tmp_path):
    folder = run(tmp_path / "run") / "tensorboard"
    agent = scalars(folder / "ppo")
    expected = {*map(tag, TRACKED), COST_RATIO, f"{COST_RATIO}/lively", MEAN_REWARD}
    assert expected <= set(agent)
    assert {"rollout/ep_rew_mean", "train/approx_kl", "time/fps"} <= set(agent)
    assert {path.name for path in folder.iterdir()} == {"ppo", *(f"rule_{rule}" for rule in KERNEL_RULES)}
    ratios = {}
    for rule in KERNEL_RULES:
        lines = scalars(folder / f"rule_{rule}")
        assert set(lines) == expected
        for points in lines.values():
            assert [step for step, _ in points] == [0, 480] and points[0][1] == points[1][1]
        ratios[rule] = lines[COST_RATIO][0][1]
    assert max(ratios["always"], ratios["balanced"]) == 1.0
    for name in expected:
        assert [step for step, _ in agent[name]] == [0, 160, 320, 480], name
    for points in agent.values():
        steps = [step for step, _ in points]
        assert steps == sorted(set(steps)) and steps[-1] <= 480


@pytest.mark.usefixtures("small")
def test_an_agent_that_does_as_a_rule_scores_on_its_line(tmp_path, monkeypatch):
    """The same episodes, the same tags: a policy that always resets gets the numbers of always."""
    original = learner.make_model

    def always_one(config, env):
        model = original(config, env)
        model.policy.action_net.get_parameter("bias").data[:] = torch.tensor([-1e3, 1e3])
        return model

    monkeypatch.setattr(learner, "make_model", always_one)
    folder = run(tmp_path / "run", steps=160) / "tensorboard"
    agent, rule = scalars(folder / "ppo"), scalars(folder / "rule_always")
    assert {tag("cost_s"), COST_RATIO} <= set(rule)
    for name in rule:
        assert {value for _, value in agent[name]} == {rule[name][0][1]}, name


@pytest.mark.usefixtures("small")
def test_the_oracle_has_a_line_if_it_may_search_and_no_rule_costs_less(tmp_path):
    folder = run(tmp_path / "run", steps=160, oracle_episodes=30.0, lines=tuple(KERNEL_RULES)) / "tensorboard"
    oracle = scalars(folder / "oracle")
    rules = [scalars(folder / f"rule_{rule}") for rule in KERNEL_RULES]
    assert [set(oracle)] * len(rules) == [set(rule) for rule in rules]
    least = min(rule[COST_RATIO][0][1] for rule in rules)
    assert 0 < oracle[COST_RATIO][0][1] <= least
    assert [step for step, _ in oracle[COST_RATIO]] == [0, 160]


def test_a_bar_is_as_long_as_the_run(tmp_path):
    assert train.planned_steps({"algo": "supervised"}, None) == 8000
    assert train.planned_steps({"algo": "supervised", "steps": 32}, None) == 32
    folder = tmp_path / "run"
    folder.mkdir()
    config = train_config.config_of({"steps": 70}).model_dump(mode="json")
    (folder / "manifest.json").write_text(json.dumps({"kind": "train", "config": config}))
    assert train.planned_steps({}, folder) == 70


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("algo", [{"algo": "ppo"}, {"algo": "supervised", "rows": 2, "hidden": (8,)}])
def test_runs_of_different_seeds_are_validated_on_the_same_episodes(tmp_path, algo):
    """Else the best of several would be the one that was dealt the cheapest."""
    asked = {"steps": 32 if algo["algo"] == "supervised" else 80, "lines": ("never",), **algo}
    one, other = (run(tmp_path / str(seed), seed=seed, **asked) / "tensorboard" for seed in (0, 1))
    for rule in ("balanced", "never"):
        assert scalars(one / f"rule_{rule}") == scalars(other / f"rule_{rule}")
    name = str(algo["algo"])
    assert scalars(one / name)[COST_RATIO] != scalars(other / name)[COST_RATIO]


@pytest.mark.parametrize(
    "asked",
    [
        {"algo": "ppo", "rows": 4096},
        {"algo": "supervised", "rounds": 20, "rows": 4096, "tails": tuple(RULES)[:16]},
    ],
)
def test_no_episode_of_the_validation_is_learned_from(asked):
    config = train_config.config_of(asked)
    last = train_config.VALIDATION_SEED - config.nr_seeds
    assert train_config.config_of({**asked, "seed": last}).seed == last
    with pytest.raises(ValueError, match=f"wanted at most {last}"):
        train_config.config_of({**asked, "seed": last + 1})
    assert min(REFERENCE_SEEDS) >= train_config.VALIDATION_SEED + 64 * train_config.RULE_SEEDS


@pytest.mark.usefixtures("small")
def test_what_is_validated_may_be_something_else(tmp_path):
    folder = run(tmp_path / "run", steps=160, validation=("other", "third"), lines=("gap?runs=8", "never"))
    shown = {path.name for path in (folder / "tensorboard").iterdir()}
    assert shown == {"ppo", "rule_always", "rule_balanced", "rule_gap_runs_8", "rule_never"}
    noted = json.loads((folder / "manifest.json").read_text())["usual_cost_s"]
    assert {part: list(costs) for part, costs in noted.items()} == {
        "training": ["lively"],
        "validation": ["other", "third"],
    }
    lines = scalars(folder / "tensorboard" / "rule_never")
    assert f"{COST_RATIO}/other" in lines and f"{COST_RATIO}/lively" not in lines
    assert lines[COST_RATIO][0][1] == pytest.approx(
        np.mean([lines[f"{COST_RATIO}/{name}"][0][1] for name in ("other", "third")]), rel=1e-6
    )


def test_the_learning_signal_is_the_reward_in_usual_costs():
    config = train_config.PpoConfig(rows=4, rollout_steps=1)
    taught = [Lesson(name, (lively(name),)) for name in ("cheap", "dear")]
    nothing_special = {"cheap": 80.0, "dear": 80.0}  # an episode is 40 steps of 2 nodes
    scaled = learner.make_env(config, taught, {"cheap": 0.5 * 80, "dear": 4.0 * 80})
    plain = scaled.venv
    for env in (scaled, other := learner.make_env(config, taught, nothing_special)):
        env.seed(0)
    assert np.array_equal(scaled.reset(), np.asarray(other.reset())) and plain.num_envs == 8
    for _ in range(10):
        rewards, costs = (env.step(np.ones(8, int))[1] for env in (scaled, other))
        assert rewards == pytest.approx(costs / np.repeat([0.5, 4.0, 0.5, 4.0], 2), rel=1e-6)
    assert costs.min() < 0


def test_a_row_that_goes_on_to_another_scenario_is_weighed_by_the_one_that_acted():
    config = train_config.PpoConfig(rows=2, rollout_steps=1)
    names = ("first", "second", "third")
    taught = [Lesson(name, (lively(name),)) for name in names]
    usual: dict[str, float] = dict(zip(names, (0.5, 4.0, 8.0), strict=True))
    scaled = learner.make_env(config, taught, {name: cost * 80 for name, cost in usual.items()})
    plain = learner.make_env(config, taught, dict.fromkeys(names, 80.0))
    for env in (scaled, plain):
        env.seed(0)
        env.reset()
    for acting, steps in ((("first", "second"), 40), (("third", "first"), 40)):
        weights = np.repeat([usual[name] for name in acting], 2)
        both = np.array([[env.step(np.ones(4, int))[1] for env in (scaled, plain)] for _ in range(steps)])
        assert both[:, 0] == pytest.approx(both[:, 1] / weights, rel=1e-6)
        told = both[-1].reshape(2, 2, 2) < 0  # envs, rows, nodes
        assert told.any(axis=2).all()  # the step in which the episode ends is one that tells


@pytest.mark.usefixtures("small")
def test_a_signal_leaves_a_checkpoint_and_resume_goes_on_from_it(tmp_path):
    seen = [0]

    def interrupt(words: str, steps: int) -> None:
        seen[0] += steps
        if seen[0] == 200:  # within the third rollout
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(train.Interrupted) as caught:
        run(tmp_path / "run", progress=interrupt)
    assert signal.getsignal(signal.SIGTERM) is before
    assert caught.value.exit_code == 143 and "--resume" in str(caught.value)
    folder = tmp_path / "run"
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
    assert checkpoints.checkpoints(folder / "checkpoints")[-1].name == "step-000000000160.zip"
    load_policy(folder / "agent.safetensors")

    assert resume(folder) == folder
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert manifest["command"] == "test && reclaim train --resume RUN # from step 160"
    assert load_policy(folder / "agent.safetensors").spec.made_by == manifest["command"]
    assert resume(folder) == folder  # nothing is left to learn
    assert json.loads((folder / "manifest.json").read_text())["command"] == manifest["command"]
    assert checkpoints.checkpoints(folder / "checkpoints")[-1].name == "step-000000000480.zip"
    steps = [step for step, _ in scalars(folder / "tensorboard" / "ppo")["time/fps"]]
    assert steps == sorted(set(steps)) and steps[-1] == 480


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("asked", "killed_at", "kept"),
    [
        ({"algo": "ppo"}, 200, "checkpoints/step-000000000160.zip"),
        ({"algo": "supervised", "rows": 2, "labels_per_episode": 4, "steps": 32}, 24, "labels/round-000.npz"),
    ],
)
def test_a_kill_loses_no_more_than_since_the_last_save(tmp_path, asked, killed_at, kept):
    """What is on the disk after SIGKILL is whole, and the run that goes on from it only does what is left."""
    steps = {"steps": 480, "hidden": (8,)} | asked
    done, told = [0], []

    def die(words: str, nr: int) -> None:
        done[0] += nr
        if done[0] >= killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            run(tmp_path / "run", progress=die, **steps)
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert (tmp_path / "run" / kept).exists()
    assert not (tmp_path / "run" / "agent.safetensors").exists()
    train.run({}, resume=tmp_path / "run", progress=lambda words, nr: told.append((words, nr)))
    load_policy(tmp_path / "run" / "agent.safetensors")
    again = sum(nr for words, nr in told if words in ("training", "labelling"))
    assert again == {"ppo": 480 - 160, "supervised": 16}[asked["algo"]]


@pytest.mark.usefixtures("small")
def test_a_longer_run_resumes_with_longer_lines(tmp_path):
    folder = run(tmp_path / "run", steps=160)
    resume(folder, steps=320)
    assert [step for step, _ in scalars(folder / "tensorboard" / "rule_never")["reclaim/cost_s"]] == [0, 320]
    assert checkpoints.checkpoints(folder / "checkpoints")[-1].name == "step-000000000320.zip"
    with pytest.raises(ValueError, match="found 200, wanted at least the 320"):
        resume(folder, steps=200)


@pytest.mark.usefixtures("small")
def test_a_run_goes_on_as_it_began(tmp_path):
    folder = run(tmp_path / "run", steps=80)
    for beside in ({"algo": "a2c"}, {"seed": 3}, {"scenarios": ("incident",)}, {"sources": True}):
        with pytest.raises(ValueError, match=f"--resume: found {next(iter(beside))} beside it, wanted steps"):
            resume(folder, steps=160, **beside)
    with pytest.raises(ValueError, match="--resume: found out beside it"):
        train.run({}, resume=folder, out=tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.usefixtures("small")
def test_a_run_that_another_model_began_is_not_gone_on_with(tmp_path):
    """Labels and weights of two models in one agent: no command would make it again."""
    folder = run(tmp_path / "run", steps=80)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"source_hash": "0" * 16}))
    with pytest.raises(ValueError, match="run: found one of other sources, wanted a run of today's"):
        resume(folder, steps=160)


SHORT = {
    "recurrent_ppo": {"rollout_steps": 20, "batch_size": 40, "epochs": 1, "lstm_units": 4},
    "a2c": {"rollout_steps": 20},
    "dqn": {"learning_starts_steps": 40, "batch_size": 20},
    "qrdqn": {"learning_starts_steps": 40, "batch_size": 20, "quantiles": 4},
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("algo", SHORT)
def test_every_algorithm_learns_leaves_an_agent_and_goes_on(tmp_path, algo):
    common = {"algo": algo, "rows": 2, "hidden": (8,), "checkpoint_steps": 160, "sources": True}
    folder = run(tmp_path / "run", steps=320, **common, **SHORT[algo])
    first = (folder / "agent.safetensors").read_bytes()
    resume(folder, steps=480)
    agent = load_policy(folder / "agent.safetensors")
    assert agent.spec.sources and agent.spec.nr_actions == 8
    assert (folder / "agent.safetensors").read_bytes() != first
    assert checkpoints.checkpoints(folder / "checkpoints")[-1].name == "step-000000000480.zip"
    steps = [step for step, _ in scalars(folder / "tensorboard" / algo)[tag("cost_s")]]
    assert steps == sorted(set(steps)) and steps[-1] <= 480


@pytest.mark.usefixtures("small")
def test_a_supervised_policy_does_what_costs_less(tmp_path, monkeypatch):
    """By its labels, and by their mirror image; a run goes on from the labels it has."""
    asked = {"algo": "supervised", "rows": 2, "hidden": (8,), "labels_per_episode": 4, "hold_steps": 10}
    folder = run(tmp_path / "run", steps=32, **asked)
    rounds = sorted((folder / "labels").iterdir())
    assert [path.name for path in rounds] == ["round-000.npz", "round-001.npz"]
    labels = supervised.Labels.joined([label for path in rounds if (label := supervised.read_labels(path))])
    assert 32 <= len(labels.features) <= 48 and np.ptp(labels.costs, axis=1).max() > 0
    points = scalars(folder / "tensorboard" / "supervised")[COST_RATIO]
    assert [step for step, _ in points] == [len(labels.features) // 2, len(labels.features)]
    first = (folder / "agent.safetensors").read_bytes()
    monkeypatch.delattr(supervised, "action_costs_s")  # labels are kept
    resume(folder)
    assert (folder / "agent.safetensors").read_bytes() == first
    config = train_config.config_of({**asked, "scenarios": ("lively",), "epochs": 300})
    assert isinstance(config, train_config.SupervisedConfig)
    matters = np.ptp(labels.costs, axis=1) > 0.01
    for sign in (1, -1):
        network = supervised._network(load_policy(folder / "agent.safetensors").spec)
        mirrored = supervised.Labels(labels.features, sign * labels.costs).that_matter()
        assert mirrored is not None
        supervised._fit(network, mirrored, config)
        chosen = network(torch.from_numpy(labels.features)).argmax(dim=1).numpy()
        right = (sign * labels.costs).argmin(axis=1)
        weight = np.ptp(labels.costs, axis=1)[matters]
        assert ((chosen == right)[matters] * weight).sum() > 0.9 * weight.sum()


@pytest.mark.usefixtures("small")
def test_a_supervised_run_sees_all_members_in_turn(tmp_path, monkeypatch):
    """Two rows: one episode of each tail, two of each later policy, each labelled twice."""
    monkeypatch.setattr(
        lessons, "load_all", lambda names: [lively(f"{name}-{i}") for name in names for i in range(10)]
    )
    seen: list[list[str]] = []

    def costs_s(env: ReclaimVectorEnv, *given) -> np.ndarray:
        seen.append([env.scenarios[which].name for which in env.scenario_of_row])
        return np.zeros((env.num_envs, env.num_nodes, 2))

    monkeypatch.setattr(supervised, "action_costs_s", costs_s)
    asked = {"algo": "supervised", "rows": 2, "hidden": (8,), "labels_per_episode": 2, "seed": 3}
    run(tmp_path / "run", steps=48, rounds=3, **asked)
    assert seen[::2] == seen[1::2]
    assert [name for names in seen[::2] for name in names] == [f"lively-{i % 10}" for i in range(12)]


def test_a_visit_labels_as_many_moments_of_every_episode_and_of_the_last_what_is_left():
    asked = {"algo": "supervised", "rows": 1, "steps": 2 * 100, "tails": ("always",), "rounds": 1}
    group = [(Lesson("one", (lively(),)), lively())]  # two nodes, 40 steps
    for labels_per_episode, in_each in ((30, [30, 30, 30, 10]), (99, [40, 40, 20])):
        config = train_config.config_of(asked | {"labels_per_episode": labels_per_episode})
        assert isinstance(config, train_config.SupervisedConfig)
        moments = visits.Visits(config, group, 1).visit(0, 0).moments
        assert list(moments) == sorted(set(moments))
        assert np.bincount(np.array(moments) // 40).tolist() == in_each


@pytest.mark.usefixtures("small")
def test_labels_of_several_runs_are_fitted_as_one(tmp_path):
    asked = {"algo": "supervised", "rows": 2, "hidden": (8,), "labels_per_episode": 4, "hold_steps": 10}
    runs = [run(tmp_path / f"run{seed}", steps=32, seed=seed, **asked) for seed in (0, 1)]
    alone = load_policy(runs[0] / "agent.safetensors")
    same = parse_policy(pooled.pooled(runs[:1], "again"))
    assert same.spec.made_by == "again"
    for name, tensor in alone.tensors.items():
        assert np.array_equal(same.tensors[name], tensor)
    pooled.main([str(tmp_path / "both.safetensors"), *map(str, runs)])
    both = load_policy(tmp_path / "both.safetensors")
    assert both.spec.made_by == "python -m experiments.training.pooled both.safetensors run0 run1"
    assert not np.array_equal(both.tensors["layer0.weight"], alone.tensors["layer0.weight"])
    with pytest.raises(SystemExit, match="wanted FILE and one RUN"):
        pooled.main([str(tmp_path / "new.safetensors")])
    with pytest.raises(SystemExit, match="wanted a new file"):
        pooled.main([str(tmp_path / "both.safetensors"), *map(str, runs)])
    other = run(tmp_path / "other", steps=32, seed=2, **asked | {"clear_weight": 2.0})
    with pytest.raises(SystemExit, match="found another config"):
        pooled.main([str(tmp_path / "new.safetensors"), *map(str, (*runs, other))])


def test_a_fitted_network_takes_features_as_the_env_gives_them():
    """Whatever their origin and scale: here far from 0, and as good as equal before they are scaled."""
    rng = np.random.default_rng(0)
    side = rng.integers(0, 2, 400)
    features = np.stack([5 + 0.01 * (side - 0.5), rng.normal(size=400)], axis=1).astype(np.float32)
    costs = np.stack([side, 1 - side], axis=1).astype(np.float64)
    config = train_config.config_of({"algo": "supervised", "hidden": (8,), "epochs": 100})
    assert isinstance(config, train_config.SupervisedConfig)
    torch.manual_seed(0)
    network = supervised._network(PolicySpec(features=("a", "b"), hidden=(8,)))
    supervised._fit(network, supervised.Labels(features, costs), config)
    assert (network(torch.from_numpy(features)).argmax(dim=1).numpy() == costs.argmin(axis=1)).mean() > 0.99


@pytest.mark.parametrize(
    ("clear_weight", "sources", "chosen"), [(1.0, False, 1), (3.0, False, 0), (3.0, True, 0)]
)
def test_where_both_may_be_right_clearing_must_be_worth_its_weight(clear_weight, sources, chosen):
    """One state: in two of three futures clearing is right, in one keeping, by as much."""
    asked = {"algo": "supervised", "hidden": (4,), "epochs": 200, "clear_weight": clear_weight}
    config = train_config.config_of({**asked, "sources": sources})
    assert isinstance(config, train_config.SupervisedConfig)
    nr_actions = 8 if sources else 2
    costs = np.ones((3, nr_actions))
    costs[:2, 1:] = costs[2, 0] = 0.5
    torch.manual_seed(0)
    network = supervised._network(PolicySpec(features=("a",), hidden=(4,), sources=sources))
    supervised._fit(network, supervised.Labels(np.zeros((3, 1), np.float32), costs), config)
    assert (network(torch.zeros(1, 1)).argmax() > 0) == chosen


def test_labels_of_states_in_which_no_action_matters_teach_nothing():
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    labels = supervised.Labels(features, np.array([[1.0, 1.0], [1.0, 1.5], [2.0, 2.0]]))
    kept = labels.that_matter()
    assert kept is not None
    assert kept.features.tolist() == [[2, 3]] and kept.regret.tolist() == [[0, 0.5]]
    assert supervised.Labels(features[:1], labels.costs[:1]).that_matter() is None


def test_a_warm_start_begins_with_the_file_and_refuses_one_of_another_shape(tmp_path):
    path = tmp_path / "agent.safetensors"
    lesson = [Lesson("lively", (lively(),))]
    made = {"algo": "ppo", "rows": 2, "hidden": (8,), "warm_start": str(path)}
    config, env = train_config.config_of(made), None
    env = learner.make_env(config, lesson, {"lively": 1.0})
    teacher = algorithms.make_model(config, env)
    path.write_bytes(learner.exported(teacher, config, ""))
    student = algorithms.make_model(train_config.config_of({**made, "seed": 1}), env)
    algorithms.begin_as(student, load_policy(path), "agent")
    for name, tensor in algorithms.policy_tensors(student).items():
        assert np.array_equal(tensor, algorithms.policy_tensors(teacher)[name])
    wide = algorithms.make_model(train_config.config_of({**made, "hidden": (9,)}), env)
    with pytest.raises(ValueError, match="warm_start: agent: found layers"):
        algorithms.begin_as(wide, load_policy(path), "agent")


def test_options_win_over_a_config_file_and_a_bad_file_is_one_line(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('algo = "dqn"\nhidden = [8, 4]\nrows = 3\n')
    config = train_config.config_of(train_config.read_config(path) | {"rows": 5})
    assert (config.algo, config.hidden, config.rows) == ("dqn", (8, 4), 5)
    for text in ("rows = ", "a" * train_config.MAX_CONFIG_BYTES + "=1", "[[[["):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"--config: .*mine.toml: found .*, wanted a TOML file") as error:
            train_config.read_config(path)
        assert "\n" not in str(error.value)


def test_an_unknown_field_of_a_config_gets_a_suggestion():
    with pytest.raises(ValueError, match="seeed: found an unknown field, wanted `seed`"):
        train_config.config_of({"seeed": 1})


def test_the_command_that_a_run_records_holds_all_that_it_was_asked(tmp_path, monkeypatch):
    told = []

    def asked(fields, out, resume, command, progress):
        told.append((fields, command))
        return tmp_path

    monkeypatch.setattr(train, "run", asked)
    config = "experiments/configs/mixture.toml"
    words = ["reclaim", "train", "--algo", "supervised", "--seed", "3", "--config", config, "--sources"]
    monkeypatch.setattr(
        "sys.argv", [*words[:2], "--config", str(identity.ROOT / config), *words[2:6], words[-1]]
    )
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    (fields, command), *_ = told
    assert command == " ".join(words)
    assert (fields["sources"], fields["seed"], fields["steps"]) == (True, 3, 600)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("place", ["observation", "reward"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_number_stops_before_it_is_learned_from(tmp_path, monkeypatch, place, bad):
    original = learner.LearningSignal.step_wait
    calls = [0]

    def step_wait(self):
        observation, rewards, done, infos = original(self)
        calls[0] += 1
        if calls[0] == 50:  # in the third rollout
            (observation if place == "observation" else rewards)[1] = bad
        return observation, rewards, done, infos

    monkeypatch.setattr(learner.LearningSignal, "step_wait", step_wait)
    with pytest.raises(ValueError, match="training: found a NaN or infinity in"):
        run(tmp_path / "run")
    folder = tmp_path / "run"
    assert json.loads((folder / "manifest.json").read_text())["status"] == "failed"
    assert [path.name for path in checkpoints.checkpoints(folder / "checkpoints")] == [
        "step-000000000160.zip"
    ]
    monkeypatch.undo()


@pytest.mark.usefixtures("small")
def test_two_runs_of_one_seed_learn_the_same(tmp_path):
    one, other = run(tmp_path / "one"), run(tmp_path / "other")
    assert (one / "agent.safetensors").read_bytes() == (other / "agent.safetensors").read_bytes()
    third = run(tmp_path / "third", seed=1)
    assert (third / "agent.safetensors").read_bytes() != (one / "agent.safetensors").read_bytes()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"algo": "sac"}, "algo: found sac, wanted one of ppo"),
        ({"lines": ("sometimes",)}, "found 'sometimes'"),
        ({"algo": "supervised", "warm_start": "a file"}, "warm_start"),
        ({"epochs": 2.5}, "epochs: found 2.5"),
        ({"lstm_units": 8}, "lstm_units"),
        ({"steps": 0}, "steps"),
        ({"seed": FIRST_SEED}, "--seed: found 1000000, wanted at most"),
        ({"weights": "mine"}, "--weights: found 'mine'"),
        ({"kernel": "2.4"}, "kernel: found '2.4'"),
        ({"scenarios": ("lively", "longer")}, "found episodes of 4, 8 s"),
        ({"scenarios": ()}, "scenarios"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        run(tmp_path / "run", **arguments)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("small")
def test_a_folder_with_a_run_is_not_written_over(tmp_path):
    folder = run(tmp_path / "run", steps=80)
    with pytest.raises(ValueError, match="wanted a new folder"):
        run(folder)
    with pytest.raises(ValueError, match="found no training run"):
        resume(tmp_path)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("cut", ""),
        ("zeros", ""),
        ("foreign", "members of something else"),
        ("vast", "more than"),
    ],
)
def test_a_damaged_checkpoint_is_one_line(tmp_path, damage, found):
    folder = run(tmp_path / "run", steps=80)
    path = checkpoints.checkpoints(folder / "checkpoints")[-1]
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "zeros":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes(500) + content[middle + 500 :])
    elif damage == "foreign":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../escape", b"")
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("policy.pth", bytes(checkpoints.MAX_CHECKPOINT_BYTES + 1))
    with pytest.raises(ValueError, match=rf"step-.*: found {found}.*, wanted a checkpoint") as error:
        resume(folder, steps=160)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("small")
def test_a_checkpoint_runs_no_code(tmp_path):
    canary = tmp_path / "canary"

    class Payload:
        def __reduce__(self):
            return (Path.touch, (canary,))

    folder = run(tmp_path / "run", steps=80)
    path = checkpoints.checkpoints(folder / "checkpoints")[-1]
    with zipfile.ZipFile(path, "w") as archive:
        payload = base64.b64encode(pickle.dumps(Payload())).decode()
        archive.writestr("data", json.dumps({"policy_class": {":type:": "x", ":serialized:": payload}}))
        archive.writestr("policy.pth", pickle.dumps(Payload(), protocol=2))
    with pytest.raises(ValueError, match="wanted a checkpoint"):
        resume(folder, steps=160)
    assert not canary.exists()


def test_off_the_main_thread_no_signal_is_touched():
    found = []

    def enter() -> None:
        with train._signals() as received:
            found.append(list(received))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(10)
    assert found == [[]]


def test_importing_the_commands_loads_no_torch():
    """`reclaim --help` must not wait for torch; train imports it when it begins to learn."""
    import subprocess
    import sys

    modules = "sys, experiments.training.train, agents.registry, agents.policy_file"
    code = f"import {modules}; print('torch' in sys.modules)"
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr
    assert time.monotonic() - began < 60


def test_lessons_are_dealt_out_in_turn():
    taught = [Lesson("a", (toy("a0"), toy("a1"), toy("a2"))), Lesson("b", (toy("b0"),))]
    dealt = lessons.interleaved(taught)
    assert [(lesson.name, one.name) for lesson, one in dealt] == [
        ("a", "a0"), ("b", "b0"), ("a", "a1"), ("a", "a2")
    ]  # fmt: skip
