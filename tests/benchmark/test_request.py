"""What an evaluation may be asked, and which agents it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from agents.policy_file import PolicyAgent, PolicySpec
from experiments.benchmark.request import Case, cases
from experiments.contender import Contender
from experiments.overlap import not_trained_on, refuse_overlap
from reclaim_env import families
from reclaim_env.families import frozen


def agent(*trained_on: str, families_hash: str | None = None) -> Contender:
    made_with = frozen.stored() if families_hash is None else families_hash
    spec = PolicySpec(features=("a",), hidden=(), trained_on=trained_on, families_hash=made_with)
    tensors = {name: np.zeros(shape) for name, shape in spec.shapes.items()}
    return Contender("learned", "", PolicyAgent("learned", spec, tensors))


def stems(found: tuple[Case, ...]) -> list[str]:
    return [case.stem for case in found]


def test_nothing_asked_is_every_variant_in_its_own_split():
    found = stems(cases((), ("test", "transfer"), ["fixed"]))
    assert len(found) == len(families.ids())
    assert "dead_kswapd/memcg?split=test" in found
    assert "mixture/three_nodes?split=transfer" in found


def test_a_family_is_its_variants_and_a_name_keeps_its_numbers():
    assert stems(cases(["exhaustion"], ["test"], ["fixed", "varied"])) == [
        "exhaustion/true_oom?split=test",
        "exhaustion/true_oom?prices=varied&split=test",
    ]
    assert stems(cases(["dead_kswapd/memcg?hot_mib=20"], ["validation"], ["fixed"])) == [
        "dead_kswapd/memcg?hot_mib=20&split=validation"
    ]


@pytest.mark.parametrize(
    ("family", "split", "prices", "said"),
    [
        ("dead_kswap", "test", "fixed", "--family"),
        ("dead_kswapd/memcg#3", "test", "fixed", "seed"),
        ("dead_kswapd", "tests", "fixed", "--split"),
        ("dead_kswapd", "transfer", "fixed", "--split"),
        ("dead_kswapd", "test", "free", "--prices"),
    ],
)
def test_what_cannot_be_asked_is_refused(family, split, prices, said):
    with pytest.raises(ValueError, match=said):
        cases([family], [split], [prices])


@pytest.mark.parametrize(
    ("trained", "asked", "is_refused"),
    [
        ("dead_kswapd/memcg#0..63", "dead_kswapd/memcg?split=test", False),
        ("dead_kswapd/memcg#0..63", "dead_kswapd/memcg?split=train", True),
        ("dead_kswapd/memcg#5", "dead_kswapd/alone?split=train", True),  # variants share their ranges
        ("dead_kswapd/memcg?split=test#5", "dead_kswapd/memcg?split=test", True),
        ("dead_kswapd/memcg?stream_mib_per_s=41#5", "dead_kswapd/memcg?split=test", True),  # by its value
        ("hot_retires/anon_grows#0..9", "hot_retires/anon_grows?split=transfer", True),
        ("mixture/two_nodes#0..9", "mixture/three_nodes?split=transfer", False),
        ("incident", "dead_kswapd/memcg?split=train", False),
    ],
)
def test_an_agent_is_not_measured_where_it_was_trained(trained, asked, is_refused):
    if is_refused:
        with pytest.raises(ValueError, match="not trained in"):
            refuse_overlap(agent(trained), [asked])
    else:
        refuse_overlap(agent(trained), [asked])


def test_agents_that_nobody_asked_for_are_left_out_where_they_were_trained():
    one, rule = agent("dead_kswapd/memcg#0..63"), Contender("never", "")
    assert not_trained_on([rule, one], ["incident", "dead_kswapd/alone#7"]) == (rule,)
    assert not_trained_on([rule, one], ["incident", "dead_kswapd/alone?split=test#7"]) == (rule, one)


def test_an_agent_of_families_frozen_otherwise_is_refused():
    with pytest.raises(ValueError, match="frozen as 0123"):
        refuse_overlap(agent("dead_kswapd/memcg#0", families_hash="0123"), ["control/asleep#3"])
    refuse_overlap(agent("incident", families_hash=""), ["control/asleep#3"])


def test_a_stem_without_its_split_is_the_label():
    (case,) = cases(["control/asleep?prices=varied"], ["test"], ["fixed"])
    assert case.label == "control/asleep?prices=varied"
    assert replace(families.parse(case.stem), split="").stem == case.label
