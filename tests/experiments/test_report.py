import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from experiments.metrics import MIB_PER_PAGE
from experiments.reporting.charts import MAX_POINTS, Scales, busiest_nodes, legend, thinned, timeline
from experiments.reporting.findings import who_reset
from experiments.reporting.report import render
from experiments.reporting.tensorboard import FILE_NAME, write_runs
from experiments.series import Series
from reclaim_env.model.constants import PRESSURES
from tests.experiments.frame import episode, made_up, made_up_scenario

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    "{{ 7 * 7 }}",
    "${alert(1)}",
    "<!-- x",
    "]]>",
    "&lt;b&gt;",
    'x" onmouseover="alert(1)',
]
VOID = {"meta", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """Collects tags and attributes; fails on tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def html() -> str:
    return render(made_up(nr_seeds=4, rules=("always", "balanced", "random")))


def test_the_page_is_whole_and_takes_nothing_from_elsewhere(html):
    page = Page(html)
    assert not any(tag in ("script", "link", "iframe", "object", "base") for tag, _ in page.tags)
    addresses = [
        value or "" for _, attrs in page.tags for key, value in attrs.items() if key in ("href", "src")
    ]
    assert all(address.startswith("#") for address in addresses)
    assert not re.search(r"(https?:)?//[a-z]|@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_the_answer_stands_before_any_table_or_picture(html):
    assert html.index('class="answer"') < min(html.index("<table"), html.index("<svg"))


def test_every_rule_has_its_episode_drawn(html):
    figures = [attrs["aria-label"] for tag, attrs in Page(html).tags if tag == "svg"]
    assert figures == [f"made_up under {rule} over time" for rule in ("always", "balanced", "random")]


def test_ids_are_unique_and_every_reference_has_its_target(html):
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', html)) <= set(ids)


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_name_is_text(name):
    found = made_up(nr_seeds=2, rules=("always", "balanced", name), names=(name, "other"))
    page = Page(render(found))
    assert not any(key.startswith("on") for _, attrs in page.tags for key in attrs)
    assert not any(tag in ("script", "img", "b") for tag, _ in page.tags)
    assert name in " ".join(page.words)


def test_the_story_says_who_and_when():
    always, balanced = (who_reset(made_up_scenario(nr_seeds=2), rule)[0] for rule in ("always", "balanced"))
    assert always.endswith(
        "never hopeless, count at most 11 when looked at every 0.1 s."
    )  # higher in between
    assert "hopeless from 0.80 s, 0.40 s after its first fruitless run, to the end" in balanced


def test_thinning_keeps_the_area_under_a_rate():
    rates = episode("always").refault_mib_per_s()
    assert len(thinned(rates)) <= MAX_POINTS
    assert thinned(rates).mean() == pytest.approx(rates.mean())


def test_the_busy_nodes_are_shown_in_the_order_of_their_ids():
    assert busiest_nodes([episode("always"), episode("balanced")]) == (0, 1)


def with_parts(series: Series) -> Series:
    """The same episode with a page swapped out in every interval, and one kill by each killer."""
    grows = np.arange(len(series.time_s))[:, np.newaxis] * np.array([256, 0])
    killed = np.zeros_like(grows)
    killed[300:, 0] = 1
    pressure_s = np.zeros((len(series.time_s), len(PRESSURES)))
    pressure_s[:, PRESSURES.index("memory_some")] = 0.5 * series.time_s
    return replace(
        series, pswpout=grows, pgdemote_direct=grows, oom_kill=killed, oomd_kill=killed, pressure_s=pressure_s
    )


def test_swap_demotion_pressure_and_kills_are_drawn_where_there_were_any():
    found = made_up_scenario(nr_seeds=2, rules=("always", "balanced"))
    plain, whole = (
        Scales.of(found),
        Scales.of(replace(found, series={**found.series, "balanced": with_parts(found.series["balanced"])})),
    )
    assert (plain.swap_mib_per_s, plain.demoted_mib_per_s, plain.pressure_ratio, plain.killers) == (
        0,
        0,
        0,
        (),
    )
    assert (whole.swap_mib_per_s, whole.demoted_mib_per_s) == pytest.approx((10, 10))
    assert whole.pressure_ratio == pytest.approx(0.5) and whole.killers == ("oom_kill", "oomd_kill")
    for scales, is_drawn in ((plain, False), (whole, True)):
        svg = timeline(found.series["always"], scales, "made up", "x-")
        for words in ("swap,", "demoted,", "pressure,"):
            assert (f">{words}" in svg) == is_drawn, words
        said = {words for _, words in legend(scales)}
        assert ({"killed by the kernel", "memory pressure, some"} <= said) == is_drawn


def test_free_memory_far_above_the_watermarks_does_not_flatten_them():
    found = made_up_scenario(nr_seeds=2, rules=("always", "balanced"))
    series = found.series["always"]
    high_pages = series.high_wmark_pages.max()
    emptied = replace(series, free_pages=series.free_pages + 100 * high_pages)
    scales = Scales.of(replace(found, series={"always": emptied}))
    assert scales.free_mib == 4 * high_pages * MIB_PER_PAGE


def test_every_rule_is_a_tensorboard_run_with_the_same_tags(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = made_up_scenario(nr_seeds=4, rules=("always", "balanced", "../../evil"))
    write_runs(tmp_path / "tb", found, 4)
    folders = sorted(path.parent for path in tmp_path.rglob(FILE_NAME))
    assert [folder.name for folder in folders] == ["always", "balanced", "evil"]
    assert {folder.parent for folder in folders} == {tmp_path / "tb" / "made_up"}
    tags = []
    for folder in folders:
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        events.Reload()
        tags.append(set(events.Tags()["scalars"]) or set(events.Tags()["tensors"]))
        assert len(events.Scalars("reclaim/kswapd_cpu_s")) == 2
        for name in ("free_pages/node1", "pswpout_mib_per_s/node0", "pressure/memory_some"):
            assert len(events.Scalars(f"reclaim/first_seed/{name}")) == 600
    undefined = {"reclaim/node0/first_hopeless_s", "reclaim/node1/first_hopeless_s"}  # never came
    assert tags[0] | undefined == tags[1] | undefined == tags[2] | undefined
