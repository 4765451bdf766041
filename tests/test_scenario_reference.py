"""The committed reference is what the types say. To renew it: print(reference()) into the file."""

from importlib import resources

from reclaim_env.scenario.reference import reference


def test_the_committed_reference_is_that_of_the_types():
    committed = resources.files("reclaim_env") / "scenarios" / "README.md"
    assert committed.read_text("utf-8") == reference()
