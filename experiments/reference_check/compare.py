"""Both simulators on every variant and seed, on all CPUs; then the errors, variant by variant."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from ..evaluate import evaluation_seeds
from ..identity import usable_cpus
from .kept import Kept
from .rows import Row, Windows, cost_rows, rows_of
from .sides import SAMPLE_S, Series, both
from .variants import Variant

Pair = tuple[Series, Series]


@dataclass(frozen=True)
class Comparison:
    rows: tuple[Row, ...]
    nr_seeds: int
    draw_seed: int | None  # None: the scenarios were named

    def as_json(self) -> dict[str, Any]:
        return {"rows": [asdict(row) for row in self.rows], "seeds": self.nr_seeds, "draw": self.draw_seed}


def compare(
    variants: Sequence[Variant],
    nr_seeds: int,
    progress: Callable[[str, int], None],
    kept: Kept | None = None,
    draw_seed: int | None = None,
) -> Comparison:
    pairs = _simulate(variants, evaluation_seeds(nr_seeds), progress, kept)
    rows: list[Row] = []
    for _, group in groupby(variants, key=lambda one: (one.scenario.name, one.kernel)):
        ruled = {variant.rule: (variant, *_windows(pairs[variant.label])) for variant in group}
        for variant, fast, exact in ruled.values():
            rows += rows_of(variant.label, fast, exact)
        rows += cost_rows(
            {rule: (fast, exact) for rule, (_, fast, exact) in ruled.items()}, variant.scenario.name
        )
    return Comparison(tuple(rows), nr_seeds, draw_seed)


def _simulate(
    variants: Sequence[Variant], seeds: Sequence[int], progress: Callable[[str, int], None], kept: Kept | None
) -> dict[str, list[Pair]]:
    """By label, in the order of the seeds. Compiled code holds no GIL: threads are enough."""
    _compile(variants[0], progress)
    found: dict[str, list[Pair]] = {variant.label: [None] * len(seeds) for variant in variants}  # type: ignore[misc]
    pool = ThreadPoolExecutor(usable_cpus())
    jobs = {
        pool.submit(_once, variant, seed, kept): (variant.label, number)
        for variant in variants
        for number, seed in enumerate(seeds)
    }
    try:
        for job in as_completed(jobs):
            label, number = jobs[job]
            found[label][number] = job.result()
            progress(label, 1)
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _compile(variant: Variant, progress: Callable[[str, int], None]) -> None:
    """In this thread alone, before the others would all do it."""
    progress("compiling both simulators, if this version is new: a minute or two", 0)
    both(replace(variant, scenario=variant.scenario.model_copy(update={"duration_s": SAMPLE_S})), 0)


def _once(variant: Variant, seed: int, kept: Kept | None) -> Pair:
    found = kept.get(variant, seed) if kept else None
    if found is None:
        found = both(variant, seed)
        if kept:
            kept.put(variant, seed, found)
    return found


def _windows(pairs: Sequence[Pair]) -> tuple[Windows, Windows]:
    fast, exact = (
        {name: np.array([pair[side][name] for pair in pairs]) for name in pairs[0][side]} for side in (0, 1)
    )
    return fast, exact
