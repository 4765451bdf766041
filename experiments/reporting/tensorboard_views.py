"""What TensorBoard shows besides curves: a layout of charts worth comparing, HParams for each run."""

from collections.abc import Mapping, Sequence
from typing import Any

from reclaim_env.model.constants import PRESSURES

from ..metrics import tag

CHARTS = {
    "Cost": (
        ("lost seconds", ("cost_s",)),
        (
            "by term",
            ("cost_refault_io_s", "cost_kswapd_cpu_s", "cost_stall_s", "cost_oom_s", "cost_atomic_s"),
        ),
    ),
    "Reclaim": (
        ("kswapd CPU", ("kswapd_cpu_s",)),
        ("refaults", ("refault_mib_per_s", "bystander_refault_mib_per_s")),
        ("direct reclaim", ("allocstall", "stall_s")),
    ),
    "Hopeless": (
        ("hopeless", ("hopeless_s",)),
        ("dead or alive by mistake", ("false_dead_s", "false_alive_s")),
    ),
    "Swap, tiers, boosts": (
        ("swap", ("pswpout", "pswpin")),
        ("demotion", ("pgdemote_kswapd", "pgdemote_direct")),
        ("boosts", ("boosts", "boosted_fruitless_runs")),
    ),
    "Pressure and kills": (
        ("pressure", tuple(f"pressure/{name}_s" for name in PRESSURES)),
        ("kills", ("oom_kills", "oomd_kills")),
    ),
}
COMPARED = ("cost_s", "kswapd_cpu_s", "refault_mib_per_s", "stall_s", "hopeless_s")


def layout() -> Any:
    """A summary that arranges the tags of rules and agents on the page of custom scalars."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.custom_scalar import layout_pb2, metadata
    from tensorboard.util.tensor_util import make_tensor_proto

    categories = [
        layout_pb2.Category(title=title, chart=[_chart(name, metrics) for name, metrics in charts])
        for title, charts in CHARTS.items()
    ]
    content = layout_pb2.Layout(category=categories).SerializeToString()
    value = Summary.Value(
        tag=metadata.CONFIG_SUMMARY_TAG,
        metadata=metadata.create_summary_metadata(),
        tensor=make_tensor_proto([content]),
    )
    return Summary(value=[value])


def _chart(title: str, metrics: Sequence[str]) -> Any:
    from tensorboard.plugins.custom_scalar import layout_pb2

    tags = [f"^{tag(metric)}$" for metric in metrics]
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))


def compared(values: Mapping[str, Sequence[str]]) -> Any:
    """A summary that names the HParams, each with its values, and the metrics beside them."""
    from tensorboard.plugins.hparams import summary_v2

    hparams = [summary_v2.HParam(name, summary_v2.Discrete(sorted(set(of)))) for name, of in values.items()]
    metrics = [summary_v2.Metric(tag(metric)) for metric in COMPARED]
    return summary_v2.hparams_config_pb(hparams, metrics, time_created_secs=0)


def session(hparams: Mapping[str, str]) -> Any:
    """A summary that says what one run is."""
    from tensorboard.plugins.hparams import summary_v2

    return summary_v2.hparams_pb(dict(hparams), "/".join(hparams.values()), start_time_secs=0)
