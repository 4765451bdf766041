"""What is recorded of an evaluation says what the evaluation said."""

import json

import pytest

from experiments.benchmark import page, records, run
from experiments.benchmark.frame import FamilyCosts
from experiments.benchmark.request import Request, cases
from experiments.contender import contenders
from experiments.identity import Setting
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
    assert records.export(folder.path, path) == 4 * 3 + 16 * 2 + 2 + 2
    return frame, path


def test_the_frame_read_back_is_the_one_that_was_run(recorded):
    frame, path = recorded
    assert json.dumps(records.read(path).as_json()) == json.dumps(frame.as_json())
    (found,) = frame.families.values()
    assert len(found.unseeing_s) == len(found.oracle_s) == 2
    assert (found.unseeing_s >= found.oracle_s).all()


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
