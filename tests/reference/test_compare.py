"""What `reclaim validate reference` makes of two series."""

import json

import numpy as np
import pytest

from experiments.reference_check import table
from experiments.reference_check.compare import Comparison, rows_of
from experiments.reference_check.sides import FLOWS, LEVELS, MOMENTS


def windows(seeds: int = 8, **changed: np.ndarray) -> dict[str, np.ndarray]:
    found = {name: np.full((seeds, 4), 100.0) for name in (*LEVELS, *FLOWS)}
    found |= {name: np.linspace(1, 2, seeds)[:, None] for name in MOMENTS}
    return found | changed


def row(name: str, **changed: np.ndarray):
    return next(row for row in rows_of("toy", windows(8, **changed), windows()) if row.quantity == name)


@pytest.mark.parametrize(
    ("flow", "within"), [([102.0] * 4, True), ([104.0] * 4, False), ([88, 112, 100, 100], False)]
)
def test_a_flow_is_held_to_its_mean_and_to_every_window(flow, within):
    assert row("pgsteal_file", pgsteal_file=np.tile(np.array(flow, float), (8, 1))).within is within


def test_moments_that_never_come_are_of_another_distribution():
    assert row("first_hopeless_s").within
    found = row("first_hopeless_s", first_hopeless_s=np.full((8, 1), -1.0))
    assert (found.within, found.mean_error, found.model, found.reference) == (False, 1.0, 0.0, 1.0)


def test_what_is_next_to_nothing_on_both_sides_has_no_row():
    nothing = np.zeros((8, 4))
    found = rows_of("toy", windows(allocstall=nothing), windows(allocstall=nothing))
    assert "allocstall" not in {row.quantity for row in found}


def test_the_table_keeps_to_eighty_columns_and_the_json_to_numbers():
    found = Comparison(tuple(rows_of("a" * 90, windows(), windows(pgpgin=np.full((8, 4), 1e-3)))), 8)
    assert max(map(len, table.render(found).splitlines())) <= 80
    json.dumps(found.as_json(), allow_nan=False)
