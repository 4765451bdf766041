"""Other futures of the same present: what a search may look at that must not see the one that comes."""

from collections.abc import Sequence

import numpy as np

from agents.forks import Forks
from reclaim_env.copies import copied
from reclaim_env.model import rng
from reclaim_env.model.access import draw_exponential


def resampled(record: np.ndarray, number: int) -> np.ndarray:
    """A copy of a machine, (1,), whose future is drawn anew.

    `number` names the future, whatever the machine's own seed. Draws are functions of seed and clock, so with
    another seed all that is still to be drawn differs. What was drawn beforehand is drawn again, from now on:
    the pending switch of each on/off class, whose exponential periods have no memory. Schedules, events and
    the phases of bursts, which repeat, stay: they are taken as known.
    """
    other = copied(record)
    other["seed"] = np.random.SeedSequence((int(record["tick"][0]), number)).generate_state(1, np.uint64)
    other["episode"] = 0
    env = other[0]
    for c in range(int(env["nr_classes"])):
        class_ = env["class_"][c]
        if class_["off_s"] > 0.0:
            mean_s = class_["on_s"] if class_["on"] else class_["off_s"]
            wait_s = draw_exponential(env, rng.SWITCHES, c, int(class_["nr_switches"]), float(mean_s))
            class_["next_switch_s"] = env["time_s"] + wait_s
    return other


def costs_s(
    forks: Forks, record: np.ndarray, plans: Sequence[np.ndarray], first: int, until: int
) -> np.ndarray:
    """(plans,): cost of the episode of a machine, (1,), that stands at step `first` of each plan.

    Plans that bring it to the same state at step `until` and agree from there are driven on once.
    """
    known: dict[tuple[bytes, bytes], float] = {}
    found = np.zeros(len(plans))
    for index, plan in enumerate(plans):
        fork = copied(record)
        forks.drive(fork, plan, first, until)
        key = forks.future_key(fork), plan[until:].tobytes()
        if key not in known:
            forks.drive(fork, plan, until, forks.nr_steps)
            known[key] = forks.cost_s(fork)
        found[index] = known[key]
    return found
