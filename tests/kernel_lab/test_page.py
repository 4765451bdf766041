"""Laws of the page: every number is the records', what failed is said, columns of zeros are left out."""

from pathlib import Path

import pytest

from experiments.kernel_lab import kernel_runs, page
from experiments.kernel_lab.cli import RECORDED
from experiments.kernel_lab.compare_model import cases
from experiments.kernel_lab.kernel_runs import KernelRun
from reclaim_env.scenario import load

SCENARIO = load(Path(page.__file__).parent / "scenarios" / "dead_kswapd_slow.toml")


def boot(rule: str, repeat: int, kernel: str = "6.12", why_failed: str | None = None, **counters: float):
    metrics = {
        "resets": 0.0,
        "resets_free_path": 0.0,
        "pgscan_kswapd": 0.0,
        "node0/pageoutrun": 1.0,
    } | counters
    return KernelRun(SCENARIO, rule, kernel, repeat, f"{rule}{repeat}{kernel}", why_failed, metrics)


RUNS = [
    boot("always", 1, allocstall=1, pgscan_kswapd=61_000),
    boot("always", 2, allocstall=3, pgscan_kswapd=61_000),
    boot("balanced", 1, allocstall=1400),
    boot("balanced", 2, why_failed="no end after 204 s"),
    boot("balanced", 1, kernel="6.18", allocstall=1500),
]


def test_cells_are_means_of_the_whole_boots():
    (case, _) = cases(RUNS)
    columns = (("allocstall", "allocstall"), ("pgscan_kswapd", "scanned"), ("pgscan_direct", "direct"))
    assert page.table(case, columns).splitlines() == [
        "| rule | boots | allocstall | scanned |",
        "|---|---|---|---|",
        "| `always` | 2 | 2.00 [-10.7,14.7] | 61.0k |",
        "| `balanced` | 1 | 1.40k | 0 |",
    ]


def test_the_page_says_what_failed_and_keeps_the_presets_apart():
    text = page.render(RUNS)
    assert "5 boots" in text and "1 of them failed" in text
    assert "`dead_kswapd_slow (6.18)`" in text and "1.50k" in text
    assert "In 2 boots under `balanced` the test of 7.0 let 0 resets through" in text


def test_no_line_names_a_folder_of_this_machine():
    assert str(Path.home()) not in page.render(RUNS)


@pytest.mark.skipif(not (RECORDED / "runs.parquet").exists(), reason="no runs are recorded yet")
def test_the_recorded_page_is_that_of_the_recorded_runs():
    assert (RECORDED / "README.md").read_text() == page.render(kernel_runs.load(RECORDED))
