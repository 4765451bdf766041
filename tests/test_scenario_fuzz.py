"""Any document and any text is a Scenario or a ScenarioError, and nothing else."""

import tomllib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reclaim_env.scenario import Scenario, ScenarioError, parse, parse_text
from reclaim_env.scenario.machine import Cgroup, Node
from reclaim_env.scenario.workloads import Anon, Assumed, File, Reader

GOOD = (Path(__file__).parent / "scenarios" / "good.toml").read_text()
WORDS = [*Scenario.model_fields, *Node.model_fields, *Cgroup.model_fields, *Anon.model_fields]
WORDS += [*Reader.model_fields, *File.model_fields, *Assumed.model_fields, "bind", "hog", "web", "pages", "x"]
SCALARS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.booleans(),
    st.sampled_from(WORDS),
    st.text(max_size=8),
    st.sampled_from([2**31 - 1, 2**32 + 1, 2**53 + 1, 2**63, 2**64, 0, 1, 5e-324, 1.7e308]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


def slots(data):
    """Every (container, key) of a document."""
    for key in data if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], dict | list):
            yield from slots(data[key])


@settings(max_examples=400, deadline=1000, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_document_is_a_scenario_or_one_line(data):
    """A good document with a few values, anywhere, replaced by anything, lost or added."""
    document = tomllib.loads(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(slots(document))
        container, key = places[data.draw(st.integers(0, len(places) - 1))]
        action = data.draw(st.sampled_from(["replace", "replace", "drop", "add"]))
        if action == "replace":
            container[key] = data.draw(VALUES)
        elif action == "drop":
            del container[key]
        elif isinstance(container, dict):
            container[data.draw(st.sampled_from(WORDS))] = data.draw(VALUES)
        else:
            container.append(data.draw(VALUES))
    check_document(lambda: parse(document, "fuzz"))


@settings(max_examples=300, deadline=1000)
@given(st.text(max_size=300) | st.text("[]{}=.\"'#\n\\ ab1", max_size=300))
def test_any_text_is_a_scenario_or_one_line(text):
    check_document(lambda: parse_text(text, "fuzz"))


def check_document(read) -> None:
    try:
        scenario = read()
    except ScenarioError as error:
        assert str(error).isprintable()
        return
    assert all(pages >= 0 for pages in scenario.free_pages)
    assert parse(scenario.model_dump()) == scenario
