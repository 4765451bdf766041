"""Per-workload latency histograms: log bins, two an octave, from one microsecond."""

import math

from reclaim_env.model.kernel import kernel
from reclaim_env.model.layout import NR_LATENCY_BINS

FIRST_BIN_S = 1e-6


@kernel
def record(work, latency_s, nr_ops):
    """Counts operations that took latency_s."""
    if nr_ops <= 0.0:
        return
    b = int(2.0 * math.log2(max(latency_s, FIRST_BIN_S) / FIRST_BIN_S))
    work.latency_ops[min(b, NR_LATENCY_BINS - 1)] += nr_ops
