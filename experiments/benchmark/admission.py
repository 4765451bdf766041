"""What there is to decide in a family: whether the bit matters, and what the merged rule leaves to be won.

Authority: the share of steps in which flipping a node's bit for that one step changes the cost of the
episode, to its end, by more than 5 ms; along an episode under `balanced`, and along one under `always`. Steps
are sampled evenly and episodes are few: at each, forks with the bit set and clear go on under the rule.

Gap: mean cost under `balanced` less that under the best rule, paired by seed. The best rule is chosen on
every second seed and the gap measured on the others, so that luck in choosing is not counted as a gain.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from agents.forks import Forks
from agents.futures import costs_s
from reclaim_env.reset_rules import RULES

from ..contender import Contender
from ..evaluate import at_the_start
from ..identity import Setting, row_key, usable_cpus
from ..ledger import Ledger, Row
from ..results import BASELINES
from ..stats import Difference, differences
from .frame import FamilyCosts
from .request import Case, Request
from .run import Progress, family_costs

CHANGE_S = 0.005
NR_EPISODES = 4
NR_SAMPLED_STEPS = 10


@dataclass(frozen=True)
class Admission:
    """`authority_*` are shares of steps; the gap is in lost seconds of an episode, with its 95 % interval."""

    authority_balanced: float
    authority_always: float
    best_rule: str
    gap_s: float | None
    gap_lo: float | None
    gap_hi: float | None

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def admit(request: Request, case: Case, ledger: Ledger, progress: Progress) -> Admission:
    """Measures a family, or reads what the ledger holds of it."""
    found = family_costs(request, case, ledger, progress)
    best, gap = _gap(found)
    shares = {rule: _authority(request, case, rule, ledger, progress) for rule in BASELINES}
    return Admission(shares["balanced"], shares["always"], best, gap.diff, gap.lo, gap.hi)


def _gap(found: FamilyCosts) -> tuple[str, Difference]:
    chosen, measured = slice(0, None, 2), slice(1, None, 2)
    best = min(found.costs_s, key=lambda name: found.costs_s[name][chosen].mean())
    merged = found.costs_s["balanced"][measured]
    (gap,) = differences(merged[:, None], found.costs_s[best][measured][:, None])
    return best, gap


def _authority(request: Request, case: Case, rule: str, ledger: Ledger, progress: Progress) -> float:
    """Mean over the first seeds of the share of sampled steps whose bit matters along a rule."""
    probe = Contender(f"authority along {rule}", f"{NR_SAMPLED_STEPS} steps, {CHANGE_S} s")
    seeds = request.seeds[:NR_EPISODES]
    keys = {seed: row_key(case.member(seed), probe, request.setting, seed) for seed in seeds}
    missing = [seed for seed, key in keys.items() if ledger.row(key) is None]
    progress(f"{case.stem}: {probe.name}", 0)
    with ThreadPoolExecutor(usable_cpus(), thread_name_prefix="authority") as pool:
        measure = partial(_share_of_steps, case, request.setting, rule)
        shares = pool.map(measure, missing)
        rows = [
            Row(keys[seed], case.stem, probe.name, seed, {"authority": share})
            for seed, share in zip(missing, shares, strict=True)
        ]
    ledger.add(rows, {})
    return float(np.mean([row.metrics["authority"] for k in keys.values() if (row := ledger.row(k))]))


def _share_of_steps(case: Case, setting: Setting, rule: str, seed: int) -> float:
    forks = Forks(
        at_the_start(case.member(seed), setting, seed), 0, (RULES["never"], RULES["always"], RULES[rule])
    )
    base, record, step, matters = forks.constant(2), forks.start.copy(), 0, []
    for sampled in sampled_steps(forks.nr_steps):
        forks.drive(record, base, step, sampled)
        step = sampled
        matters.append(_bit_matters(forks, record, base, step))
    return float(np.mean(matters))


def sampled_steps(nr_steps: int) -> list[int]:
    """The middles of as many equal parts of an episode."""
    nr = min(NR_SAMPLED_STEPS, nr_steps)
    return [int((i + 0.5) * nr_steps / nr) for i in range(nr)]


def _bit_matters(forks: Forks, record: np.ndarray, base: np.ndarray, step: int) -> bool:
    """Whether on any node the cost to the end depends on the bit of this step."""
    for nid in np.flatnonzero(forks.decides(record)):
        plans = []
        for bit in (0, 1):
            plans.append(base.copy())
            plans[-1][step, nid] = bit
        kept, cleared = costs_s(forks, record, plans, step, step + 1)
        if abs(cleared - kept) > CHANGE_S:
            return True
    return False
