from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len

from experiments.reporting.tables import render, shown_metrics
from experiments.wording import compact, short, with_interval
from tests.experiments.frame import RULES, made_up, made_up_scenario

PAYLOADS = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "[bold]markup[/bold]",
    "[link=http://evil]x[/link]",
    "line\r\nbreak",
    "nul\x00nul",
    "\u202egnp.exe",
    "長い名前" * 30,
    "e\u0301" * 100,
    "🙂🙂🙂",
]


def test_eight_rules_fit_eighty_columns():
    text = render(made_up())
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert all(f"\n{rule} " in text for rule in RULES)


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_name_is_shown_and_does_nothing(name):
    text = render(made_up(nr_seeds=3, rules=("always", "balanced", name), names=(name, "other")))
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert not set(text) & set("\x1b\x00\r\x07\u202e")


def test_what_was_never_scanned_has_no_efficiency():
    text = render(made_up(nr_seeds=4))
    assert "Undefined under every rule: efficiency_direct." in text
    assert "pgscan_direct" in next(
        line for line in text.splitlines() if line.startswith("Zero under every rule")
    )


def test_parts_that_few_machines_have_are_shown_where_there_were_any():
    found = made_up_scenario(nr_seeds=2, rules=("always", "balanced"))
    column = found.column("pswpout")
    without = {rule: values.copy() for rule, values in found.values.items()}
    for values in without.values():
        values[:, column] = 0
    assert "pswpout" in shown_metrics(found)
    assert "pswpout" not in shown_metrics(replace(found, values=without))


def test_a_rule_is_not_compared_with_itself():
    lines = render(made_up(nr_seeds=4)).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("kswapd_cpu_s, s "))
    always = next(line for line in lines[start:] if line.startswith("always"))
    end = lines[start].index("minus always") + len("minus always")
    assert always[always.index("]") + 1 : end].strip() == "" and always[end:].strip() != ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (123.4, "123"),
        (12.34, "12.3"),
        (-1.234, "-1.23"),
        (0.1234, ".123"),
        (-0.0042, "-.004"),
        (1e-9, "~0"),
        (0.99951, "1.00"),
        (99.96, "100"),
    ],
)
def test_three_digits_in_five_characters(value, said):
    assert short(value) == said


def test_numbers_alone_carry_their_own_prefix():
    assert [compact(x) for x in (None, 1234, 999_600, 5.6e9, np.nan)] == [
        "n/a",
        "1.23k",
        "1.00M",
        "5.60G",
        "n/a",
    ]


def test_an_interval_never_outgrows_its_cell():
    random = np.random.default_rng(6)
    for magnitude in (1e-4, 1e-2, 1, 100, 999, 1e5, 5e9):
        for centre, lo, hi in random.uniform(-magnitude, magnitude, (200, 3)):
            assert len(with_interval(centre, *sorted((lo, hi)))) <= 20
