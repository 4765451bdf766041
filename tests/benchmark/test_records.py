"""What is recorded of an evaluation says what the evaluation said."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from experiments import past_run, replay
from experiments.benchmark import page, records, run
from experiments.benchmark.frame import FamilyCosts
from experiments.benchmark.request import Request, cases
from experiments.contender import contenders
from experiments.identity import Setting
from experiments.reporting import pages
from experiments.reporting import report as html
from experiments.run_folder import RunFolder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = RunFolder.open(tmp_path_factory.mktemp("run") / "out", "evaluate")
    asked = Request(
        cases(["dead_kswapd/alone"], ["test"], ["fixed"]),
        contenders(("never",), ()),
        4,
        Setting(),
        "reclaim evaluate",
        nr_oracle_seeds=2,
        budget_episodes=1,
    )
    with pytest.MonkeyPatch.context() as patched:  # whether a gap is shown, on two seeds, is chance
        patched.setattr(FamilyCosts, "is_open", property(lambda found: True))
        frame = run.run(asked, folder)
    path = folder.path / "rows.parquet"
    assert records.export(folder.path, path) == 4 * 3 + 16 * 2 + 2 + 2 + 4
    return frame, path


@pytest.fixture
def run_copy(recorded, tmp_path):
    shutil.copytree(recorded[1].parent, tmp_path / "run")
    return tmp_path / "run"


def test_the_frame_read_back_is_the_one_that_was_run(recorded):
    frame, path = recorded
    assert json.dumps(records.read(path).as_json()) == json.dumps(frame.as_json())
    (found,) = frame.families.values()
    assert len(found.unseeing_s) == len(found.oracle_s) == 2
    assert (found.unseeing_s >= found.oracle_s).all()
    assert len(found.clearing_s) == 4
    assert (found.clearing_s[:2] >= found.oracle_s).all()


def test_the_page_names_every_rule_and_nothing_undefined(recorded):
    text = page.render(records.read(recorded[1]))
    for name in ("`always`", "`balanced`", "`never`", "`dead_kswapd/alone`"):
        assert name in text
    assert "nan" not in text
    assert "None" not in text


def test_what_is_no_record_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing there"):
        records.read(tmp_path / "rows.parquet")
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="something else"):
        records.read(tmp_path / "rows.parquet")


def test_a_report_of_it_begins_with_all_families_and_ends_every_table_with_the_searches(run_copy):
    found = past_run.results(past_run.read(run_copy))
    assert [one.rule for one in found.overall] == ["always", "balanced", "never"]
    (family,) = found.scenarios
    assert family.searches == family.rules[3:] == ("oracle, 2 seeds", "unseeing, 2 seeds", "clearing")
    gap = family.difference("always", "oracle, 2 seeds", "cost_s")
    first_two = family.values["always"][:2, family.column("cost_s")].mean()
    assert gap.diff == pytest.approx(first_two - (family.mean("oracle, 2 seeds", "cost_s").mean or 0.0))
    for text in (pages.markdown(found, []), pages.mail(found, []), html.render(found)):
        assert "Over all families" in text and "oracle, 2 seeds" in text
        assert "No job did" not in text and "Who reset" not in text
        assert "Least lost time: oracle" not in text


def test_what_an_agent_did_for_less_counts_for_the_oracle(run_copy):
    change(run_copy, "UPDATE row SET metrics = json_set(metrics, '$.cost_s', 0.001) WHERE rule = 'never'")
    (family,) = past_run.results(past_run.read(run_copy)).scenarios
    assert family.mean("oracle, 2 seeds", "cost_s").mean == 0.001


@pytest.mark.parametrize(
    ("rule", "seed"), [("balanced", 900_003), ("oracle", 1_000_001), ("never", 1_000_003)]
)
def test_a_record_is_made_of_whole_runs_only(run_copy, tmp_path, rule, seed):
    change(run_copy, f"DELETE FROM row WHERE rule = '{rule}' AND seed = {seed}")
    with pytest.raises(ValueError, match=f"test, {rule}, seed {seed}: found no rows, wanted one"):
        records.export(run_copy, tmp_path / "rows.parquet")


@pytest.mark.parametrize("rule", ["always", "oracle", "unseeing", "clearing"])
def test_a_run_gone_on_with_after_the_model_changed_is_no_record(run_copy, tmp_path, rule):
    copied = "SELECT key || 'x', scenario, rule, seed, metrics FROM row"
    change(run_copy, f"INSERT INTO row {copied} WHERE rule = '{rule}'")
    with pytest.raises(ValueError, match=f"test, {rule}, seed .*: found 2 rows, wanted one"):
        records.export(run_copy, tmp_path / "rows.parquet")


def test_searches_simulated_again_are_the_same_and_one_that_is_not_is_refused(run_copy):
    done = replay.replay(past_run.read(run_copy), 0, (), lambda words, rows: None)
    assert (done.nr_replayed, done.nr_rows) == (20, 20)
    for rule in ("oracle", "unseeing", "clearing"):
        change(
            run_copy, f"UPDATE row SET metrics = json_set(metrics, '$.stall_s', 9.5) WHERE rule = '{rule}'"
        )
        with pytest.raises(ValueError, match=r"seed 1000000: stall_s: found 9.5"):
            replay.replay(past_run.read(run_copy), 0, (), lambda words, rows: None)
        shutil.copy(run_copy / "ledger.before", run_copy / "ledger.sqlite")


def change(folder: Path, sql: str) -> None:
    shutil.copy(folder / "ledger.sqlite", folder / "ledger.before")
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        ledger.execute(sql)
