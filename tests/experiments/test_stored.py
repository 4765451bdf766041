"""A training run read back: each reader names the folder as it was given to it."""

from pathlib import Path

import pytest

pytest.importorskip("stable_baselines3")

from experiments import files
from experiments.training import ablation, choice, pooled, train
from experiments.training.stored import stored_config, stored_usual_costs_s
from experiments.training.train_config import config_of

READERS = {
    "--resume: ": lambda run: train.run({}, resume=run),
    "--resume: of a bar": lambda run: train.planned_steps({}, run),
    "": stored_config,
    "choice": lambda run: choice.standings([run]),
    "pooled": lambda run: pooled.pooled([run], "test"),
    "ablation": ablation.Refit,
}


def stored(folder: Path, **manifest) -> Path:
    files.write_json(folder / "manifest.json", manifest)
    return folder


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"kind": "compare"}, "found no training run, wanted the folder of one"),
        ({"kind": "train"}, "manifest.json: found no config, wanted that of a training run"),
        ({"kind": "train", "config": [["steps", 1]]}, "manifest.json: found no config, wanted"),
        ({"kind": "train", "config": {"steps": 0}}, "config in manifest.json: steps: found 0"),
    ],
)
def test_the_message_begins_with_the_folder_and_only_a_resumed_run_with_the_option(
    tmp_path, reader, manifest, message
):
    run = stored(tmp_path / "run", **manifest)
    with pytest.raises(ValueError, match="found") as error:
        READERS[reader](run)
    option = "--resume: " if reader.startswith("--resume") else ""
    assert str(error.value).startswith(f"{option}{run}: {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "found no RUN, wanted one"), (["run"], "run: found no labels, wanted a run that has some")],
)
def test_an_ablation_of_nothing_is_one_line(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    config = config_of({"algo": "supervised"}).model_dump(mode="json")
    stored(tmp_path / "run", kind="train", config=config)  # it was stopped before its first labels
    with pytest.raises(SystemExit, match=message):
        ablation.main(arguments)


@pytest.mark.parametrize("noted", [None, {}, {"training": {"incident": 0.0}}, {"training": 3}])
def test_costs_that_were_not_measured_are_not_made_up(tmp_path, noted):
    assert stored_usual_costs_s(stored(tmp_path, usual_cost_s=noted)) == {}
