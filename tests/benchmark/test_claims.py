"""What is said of agents, on costs made up so that it can be said beforehand."""

import numpy as np
import pytest

from experiments.benchmark import claims
from experiments.benchmark.frame import SHOWN, Frame, of_rows
from experiments.identity import Setting
from experiments.ledger import Row

SEEDS = range(16)
VARIED = "fourth/one?prices=varied&split=test"
SPREAD = np.linspace(0.0, 1.5, len(SEEDS))  # of the seeds, common to all: pairs know nothing of it
TEST, TRANSFER, ANOTHER = "made/up?split=test", "other/one?split=transfer", "third/one?split=transfer"


def rows(rule: str, costs_s: np.ndarray, **metrics: float) -> list[Row]:
    rest = dict.fromkeys(SHOWN, 0.0) | metrics
    return [
        Row("", "", rule, seed, {"cost_s": float(cost), **rest})
        for seed, cost in zip(SEEDS, costs_s, strict=False)
    ]


def frame(agent_s: dict[str, np.ndarray], clearing_s: float | None = None) -> Frame:
    """Of two families with a scale of 10 s: always 10, balanced 8, never 7 and gap 5, and one agent."""
    families = {}
    for stem, own_s in agent_s.items():
        costs = {"always": 9.25, "balanced": 7.25, "never": 6.25, "gap": 4.25}
        found = {name: rows(name, cost + SPREAD) for name, cost in costs.items()}
        found["trained"] = rows("trained", own_s + SPREAD - 0.75)
        searched = rows("oracle", 1.25 + SPREAD[:4], bound_s=1.0, is_exact=0.0)
        clearing = [] if clearing_s is None else rows("clearing", clearing_s + SPREAD[:4] - 0.75)
        families[stem] = of_rows(
            found, {name: found[name] for name in ("always", "balanced")}, searched, (), clearing
        )
    return Frame(families, len(SEEDS), Setting(), "reclaim evaluate", "0" * 16)


def constant(**costs_s: float) -> dict[str, np.ndarray]:
    stems = {"test": TEST, "transfer": TRANSFER, "another": ANOTHER}
    return {stems[name]: np.full(len(SEEDS), cost) for name, cost in costs_s.items()}


def test_costs_stand_over_the_familys_scale_beside_the_rule_that_is_best_there():
    found = claims.standing(frame(constant(test=6.0)), TEST, "trained")
    assert (found.agent, found.balanced, found.best) == pytest.approx((0.6, 0.8, 0.5))
    assert found.best_rule == "gap"
    assert found.over_safe == pytest.approx(-0.1)  # `never` costs less than `balanced` here


@pytest.mark.parametrize(("worse_s", "is_shown"), [(0.0, True), (0.19, True), (0.21, False), (-3.0, True)])
def test_non_inferior_is_what_costs_at_most_two_hundredths_of_the_scale_more(worse_s, is_shown):
    found = claims.standing(frame(constant(test=8.0 + worse_s)), TEST, "trained")
    assert found.is_non_inferior == is_shown
    assert found.excess_bound == pytest.approx(worse_s / 10)


def test_a_mean_that_is_no_worse_may_yet_not_be_shown_so():
    """Eight seeds gain a second and eight lose one: Student's t of 15 at 95 % is 1.753."""
    agent_s = 8.0 + np.tile([1.0, -1.0], 8)
    found = claims.standing(frame({TEST: agent_s}), TEST, "trained")
    assert found.agent == pytest.approx(found.balanced) and not found.is_non_inferior
    assert found.excess_bound == pytest.approx(0.1 * 1.753 * np.sqrt(16 / 15) / 4, rel=1e-3)


def test_the_share_of_the_clearing_search_is_that_of_means():
    """It saves 6 of 8 s in both families; the agent 3 in one and 4.5 in the other."""
    share = claims.clearing_share(frame(constant(test=5.0, transfer=3.5), clearing_s=2.0), "trained")
    assert share.mean == pytest.approx(7.5 / 12)


def test_without_a_clearing_search_there_is_no_share():
    assert claims.clearing_share(frame(constant(test=5.0)), "trained").mean is None


def test_the_page_counts_families_and_names_the_worst_transfer():
    found = frame(constant(test=5.4, transfer=9.0, another=7.5), clearing_s=2.0)
    page = claims.render(found, frame(constant(test=5.0)))
    assert "chosen afterwards on these seeds, would cost 0.500." in page  # `gap`, everywhere
    (claim,) = [line for line in page.splitlines() if line.startswith("| `trained` | 2 of 3")]
    assert "| 1 of 3 | +0.200 other/one (transfer) |" in claim
    assert "| other/one (transfer) | 0.800 | 0.500 `gap` | 0.900 (!) |" in page
    assert "| made/up | 0.800 | 0.500 `gap` | 0.540 |" in page
    assert "asked in 3 families" in page
    assert "| made/up | 4 | .600 | .260 |" in page  # of 8 s, to 2 and to 5.4


def test_where_the_state_decides_the_best_single_rule_is_that_of_all_families():
    mixture = {"mixture/two_nodes?split=test": np.full(len(SEEDS), 4.0)}
    page = claims.render(frame(constant(transfer=5.0) | mixture), frame({VARIED: np.full(len(SEEDS), 7.0)}))
    (part,) = [part for part in page.split("## ") if part.startswith("Where the state decides")]
    assert "| family | `gap` | less by `trained` [95 %] |" in part
    assert "| mixture/two_nodes | 0.500 | .100 |" in part
    assert "| fourth/one, varied prices | 0.500 | -.200 [-.200,-.200] |" in part
    assert "| mean | 0.500 | -.050 [-.050,-.050] |" in part and TRANSFER.partition("?")[0] not in part
