"""A finished run: read back, written as pages, and simulated again."""

import json
import shutil
import sqlite3

import pytest

from experiments import compare, past_run, replay
from experiments.contender import contenders
from experiments.identity import Setting
from experiments.metrics import tag
from experiments.reporting import pages, tensorboard
from experiments.reporting.tensorboard_views import COMPARED
from experiments.results import Results
from experiments.run_folder import RunFolder, RunFolderError
from reclaim_env.scenario import parse_text
from tests.command import reclaim
from tests.experiments.frame import made_up
from tests.experiments.test_cli import SHORT

MADE = [("Command", "reclaim compare --scenario made_up"), ("Limits", "Nothing was measured. " * 8)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = RunFolder.open(tmp_path_factory.mktemp("runs") / "run")
    scenario = parse_text(SHORT.format(duration_s=1.0))
    request = compare.Request((scenario,), contenders(["never"], ()), 3, Setting(), "reclaim compare ...")
    return folder.path, compare.run(request, folder)


@pytest.fixture
def copy(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    return tmp_path / "run"


def test_a_run_read_back_says_what_it_said(finished):
    path, results = finished
    again = past_run.results(past_run.read(path))
    assert isinstance(again, Results) and again.as_json() == results.as_json()
    assert again.scenarios[0].series.keys() == results.scenarios[0].series.keys()


@pytest.mark.parametrize(
    ("rules", "nr_seeds", "setting"),
    [
        (["always"], 3, Setting()),
        (["never"], 2, Setting()),
        (["never"], 3, Setting(weights="card")),
        (["never"], 3, Setting(kernel="6.12")),
    ],
)
def test_a_finished_run_is_not_replaced_by_another(copy, rules, nr_seeds, setting):
    scenario = parse_text(SHORT.format(duration_s=1.0))
    before = (copy / "manifest.json").read_bytes()
    request = compare.Request((scenario,), contenders(rules, ()), nr_seeds, setting, "reclaim compare ...")
    with pytest.raises(RunFolderError, match="found a finished run, reclaim compare"):
        compare.run(request, RunFolder.open(copy))
    assert (copy / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("broken", [{"seeds": 3}, {"contenders": None}, {"scenarios": None}])
def test_a_finished_run_that_says_nothing_sensible_is_kept_too(copy, broken):
    content = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**content, **broken}))
    scenario = parse_text(SHORT.format(duration_s=1.0))
    request = compare.Request((scenario,), contenders(["never"], ()), 3, Setting(), "reclaim compare ...")
    with pytest.raises(RunFolderError, match="found a finished run"):
        compare.run(request, RunFolder.open(copy))


def test_a_finished_run_may_grow_and_be_made_again(copy, finished):
    scenario = parse_text(SHORT.format(duration_s=1.0))
    again = compare.Request((scenario,), contenders(["never"], ()), 3, Setting(), "reclaim compare ...")
    assert compare.run(again, RunFolder.open(copy)).as_json() == finished[1].as_json()
    more = compare.Request((scenario,), contenders(["never", "always"], ()), 4, Setting(), "more")
    assert compare.run(more, RunFolder.open(copy)).nr_seeds == 4


def test_how_it_was_made_names_command_commit_seeds_and_limits(finished):
    run = past_run.read(finished[0])
    made = dict(past_run.how_made(run, past_run.results(run)))
    assert {"Command", "Commit", "Sources", "Seeds", "Method", "Limits"} <= made.keys()
    assert made["Seeds"].startswith("3 from 1000000")


def test_the_mail_fits_75_columns_of_ascii():
    text = pages.mail(made_up(names=("ärger", "bystander")), MADE)
    assert max(map(len, text.splitlines())) <= pages.MAIL_WIDTH
    assert text.isascii() and not any(line != line.rstrip() for line in text.splitlines())
    assert text.startswith("$ reclaim compare --scenario made_up\n")
    assert "global_direct" in text and "Limits: Nothing was measured." in text


def test_the_markdown_has_a_row_for_each_rule_and_differences():
    text = pages.markdown(made_up(), MADE)
    assert sum(line.startswith("| `") for line in text.splitlines()) == 8
    assert "cost minus balanced" in text and "**Limits**" in text


def test_the_pages_are_written_once(copy):
    done = reclaim("report", "run", folder=copy.parent)
    assert done.returncode == 0, done.stderr
    found = copy / "pages"
    assert {path.name for path in found.iterdir()} == {"report.html", "report.md", "mail.txt", "tb"}
    html = (found / "report.html").read_text()
    assert "How these numbers were made" in html and "http" not in html.partition("<body>")[2]
    again = reclaim("report", "run", folder=copy.parent)
    assert again.returncode == 2 and "found files, wanted a new folder" in again.stderr


def test_tensorboard_has_a_layout_hparams_and_every_rule_with_the_same_tags(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tensorboard.write(tmp_path, made_up())

    def tags(folder):
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        return events.Reload().Tags()

    rules = sorted(path.name for path in (tmp_path / "made_up").iterdir())
    assert len(rules) == 8
    compared = {tag(metric) for metric in COMPARED}
    assert all(compared <= set(tags(tmp_path / "made_up" / rule)["scalars"]) for rule in rules)
    top = EventAccumulator(str(tmp_path)).Reload()
    assert "custom_scalars__config__" in top.Tags()["tensors"]
    plugins = EventAccumulator(str(tmp_path / "made_up" / "never")).Reload().PluginTagToContent("hparams")
    assert b"never" in b"".join(plugins.values())


def test_every_row_simulated_again_is_the_same(finished):
    done = replay.replay(past_run.read(finished[0]), 0, (), lambda words, rows: None)
    assert vars(done) == {"nr_rows": 9, "nr_replayed": 9, "same_sources": True}
    some = replay.replay(past_run.read(finished[0]), 4, (), lambda words, rows: None)
    assert some.nr_replayed == 4


def change(run, sql: str) -> None:
    with sqlite3.connect(run / "ledger.sqlite") as ledger:
        ledger.execute(sql)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "UPDATE row SET metrics = json_set(metrics, '$.cost_s', 0.25) WHERE seed = 1000001",
            "cost_s: found 0.25",
        ),
        ("UPDATE row SET seed = 2000003 - seed WHERE seed > 1000000 AND rule = 'never'", "found a key"),
        ("DELETE FROM row WHERE seed = 1000001 AND rule = 'never'", "seed 1000001: found no rows"),
        ("DELETE FROM row", "always, seed 1000000: found no rows"),
        (
            "INSERT INTO row SELECT key || 'x', scenario, rule, seed, metrics FROM row WHERE rule = 'never'",
            "never, seed 1000000: found 2 rows",
        ),
        ("UPDATE row SET metrics = json_remove(metrics, '$.stall_s')", "other metrics"),
        (
            "UPDATE row SET metrics = json_set(metrics, '$.kswapd_cpu_s', 1e-9) WHERE rule = 'always'",
            "kswapd_cpu_s",
        ),
    ],
)
def test_a_ledger_that_does_not_reproduce_is_refused(copy, sql, said):
    change(copy, sql)
    with pytest.raises(ValueError, match="found") as error:
        replay.replay(past_run.read(copy), 0, (), lambda words, rows: None)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_ledger_of_more_than_was_asked_for_at_last_is_whole(copy):
    """Gone on with for fewer seeds or without a rule: what was asked is there, and is all that is read."""
    change(copy, "INSERT INTO row SELECT key || 'x', scenario, rule, seed + 3, metrics FROM row")
    change(copy, "INSERT INTO row SELECT key || 'y', scenario, 'gap', seed, metrics FROM row")
    assert {row.seed for row in past_run.read(copy).rows} == {1000000, 1000001, 1000002}


def test_the_command_refuses_with_2(copy):
    assert (
        json.loads(reclaim("validate", "results", "run", "--json", folder=copy.parent).stdout)["nr_replayed"]
        == 9
    )
    change(copy, "UPDATE row SET metrics = json_set(metrics, '$.cost_s', 7) WHERE seed = 1000000")
    done = reclaim("validate", "results", "run", folder=copy.parent)
    assert done.returncode == 2 and done.stdout == "" and "cost_s: found 7" in done.stderr


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({}, "found no run"),
        ({"format": "reclaim-run-1", "kind": "train"}, "found a run of train"),
        ({"format": "reclaim-run-1", "kind": "compare", "status": "interrupted"}, "interrupted"),
    ],
)
def test_what_is_no_finished_run_gets_one_line(copy, manifest, said):
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=said):
        past_run.read(copy)
