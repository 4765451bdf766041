"""One TensorBoard run per rule with the same tags: means as lines over the whole axis, one seed over time."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reclaim_env.model.constants import PRESSURES

from .. import files
from ..metrics import tag
from ..results import Results, ScenarioResults
from ..series import Series
from ..wording import slug
from . import tensorboard_views

FILE_NAME = "events.out.tfevents.0.reclaim"  # TensorBoard's own name would hold the machine's


def write(folder: Path, results: Results) -> None:
    """A run for every rule of every scenario, and for the page a layout and the names of HParams."""
    setting = {"kernel": results.kernel, "weights": results.weights}
    for found in results.scenarios:
        write_runs(folder, found, results.nr_seeds, setting)
    hparams = {
        "scenario": [found.name for found in results.scenarios],
        "rule": [rule for found in results.scenarios for rule in found.rules],
        **{name: [value] for name, value in setting.items()},
    }
    page = [tensorboard_views.layout(), tensorboard_views.compared(hparams)]
    files.write_bytes(folder / FILE_NAME, encoded((), page))


def write_runs(
    folder: Path, found: ScenarioResults, nr_seeds: int, setting: Mapping[str, str] | None = None
) -> None:
    """folder/<scenario>/<rule>/; a run that is there already is replaced."""
    for rule in found.rules:
        series = found.series.get(rule)
        last = nr_seeds * (len(series.time_s) - 1) if series else 1
        means = {tag(name): found.mean(rule, name).mean for name in found.metrics}
        events = [(0, means), (last, means), *(_over_time(series) if series else ())]
        views = [tensorboard_views.session({"scenario": found.name, "rule": rule, **(setting or {})})]
        path = folder / slug(found.name) / slug(rule) / FILE_NAME
        files.write_bytes(path, encoded(events, views))


def encoded(events: Sequence[tuple[int, Mapping[str, float | None]]], views: Sequence[Any] = ()) -> bytes:
    """An event file of (step, tag -> value); undefined is no point. No wall time: equal runs, equal bytes.

    views: summaries of tensorboard_views, before the rest.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    writer.write(Event(file_version="brain.Event:2").SerializeToString())
    for view in views:
        writer.write(Event(step=0, summary=view).SerializeToString())
    for step, values in events:
        points = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in values.items()
            if value is not None and not math.isnan(value)
        ]
        writer.write(Event(step=step, summary=Summary(value=points)).SerializeToString())
    return buffer.getvalue()


def _over_time(series: Series) -> Iterator[tuple[int, Mapping[str, float | None]]]:
    """The first seed, control interval by control interval, node by node."""
    curves = {
        "free_pages": series.free_pages[1:],
        "kswapd_failures": series.kswapd_failures[1:],
        "kswapd_cpu": series.per_s("kswapd_cpu_s"),
        "refault_mib_per_s": series.refault_mib_per_s(),
        "allocstall_per_s": series.per_s("allocstall"),
        "resets_per_s": series.new_resets().sum(axis=-1) / series.interval_s[:, None],
        "pswpout_mib_per_s": series.mib_per_s("pswpout"),
        "pswpin_mib_per_s": series.mib_per_s("pswpin"),
        "demoted_mib_per_s": series.mib_per_s("pgdemote_kswapd", "pgdemote_direct"),
    }
    pressure = {name: series.pressure_ratio(name) for name in PRESSURES}
    for step in range(len(series.time_s) - 1):
        yield (
            step + 1,
            {
                tag(f"first_seed/{name}/node{nid}"): float(curve[step, nid])
                for name, curve in curves.items()
                for nid in range(series.nr_nodes)
            }
            | {tag(f"first_seed/pressure/{name}"): float(curve[step]) for name, curve in pressure.items()},
        )
