"""What accesses do to resident pages, and when classes switch on and off (mm/swap.c)."""

import math

from reclaim_env.model import bins, rng
from reclaim_env.model.constants import ACTIVE, INACTIVE, NR_BINS, NR_LISTS, READ, REFERENCED, UNREFERENCED
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.lanes import load, spread, store
from reclaim_env.model.workingset import workingset_age_nonresident


@kernel
def draw_exponential(env, stream, index, draw, mean_s):
    return -mean_s * math.log(rng.timeless_uniform(env, stream, index, draw))


@inlined
def begin_phases(env):
    """Each on/off class starts in a state drawn from its long-run shares."""
    for c in range(env.nr_classes + env.nr_anon_classes):
        class_ = env.class_[c]
        class_.on = 1
        class_.next_switch_s = math.inf
        class_.switched_s = 0.0
        if class_.off_s <= 0.0:
            continue
        u = rng.timeless_uniform(env, rng.PHASES, c, 0)
        class_.on = u * (class_.on_s + class_.off_s) < class_.on_s
        class_.next_switch_s = draw_exponential(
            env, rng.SWITCHES, c, 0, class_.on_s if class_.on else class_.off_s
        )


@inlined
def switch_classes(env):
    """On/off modulation: exponential periods that no decision can influence."""
    for c in range(env.nr_classes + env.nr_anon_classes):
        class_ = env.class_[c]
        while class_.next_switch_s <= env.time_s:
            class_.on = 1 - class_.on
            class_.nr_switches += 1
            if not class_.on:
                class_.silent_s = class_.next_switch_s
            class_.switched_s = class_.next_switch_s
            mean_s = class_.on_s if class_.on else class_.off_s
            class_.next_switch_s += draw_exponential(env, rng.SWITCHES, c, class_.nr_switches, mean_s)


@kernel
def mark_accessed(env):
    """Brings PG_referenced up to date with the last tick's accesses; activates what was read twice.

    Mapped pages are looked at only when they are scanned: a touch leaves a young bit and no more.
    """
    for c in range(env.nr_classes):
        class_ = env.class_[c]
        hits = class_.hits_s
        class_.hits_s = 0.0
        if hits <= 0.0 or class_.access != READ or class_.one_touch:
            continue
        once = -math.expm1(-hits)
        twice = 0.0 if class_.loop else once - hits * math.exp(-hits)
        for nid in range(env.nr_nodes):
            set_ = env.set_[nid * env.nr_classes + c]
            if set_.resident_pages[INACTIVE] > 0:
                folio_mark_accessed(env, set_, once, max(twice, 0.0))
            if set_.resident_pages[ACTIVE] > 0:
                unreferenced = set_.cells[ACTIVE, UNREFERENCED]
                referenced = set_.cells[ACTIVE, REFERENCED]
                touched = load(unreferenced) * spread(once)
                store(unreferenced, load(unreferenced) - touched)
                store(referenced, load(referenced) + touched)


@inlined
def folio_mark_accessed(env, set_, once, twice):
    """read() of inactive pages: the first sets PG_referenced, the next activates and clears it.

    once, twice: the parts of the pages touched at least once, at least twice.
    """
    cells = set_.cells
    due = 0.0
    for b in range(NR_BINS):
        due += cells[INACTIVE, REFERENCED, b] * once + cells[INACTIVE, UNREFERENCED, b] * twice
    u, _, _ = rng.uniforms(env, rng.ACTIVATION, set_.nid * env.nr_classes + set_.class_id)
    nr_activated = min(rng.round_stochastic(due, u), set_.resident_pages[INACTIVE])
    part = nr_activated / due if due > 0.0 else 0.0
    left = 0.0
    for b in range(NR_BINS):
        unreferenced = cells[INACTIVE, UNREFERENCED, b]
        referenced = cells[INACTIVE, REFERENCED, b]
        leaving = min(unreferenced * twice * part, unreferenced)
        leaving_referenced = min(referenced * once * part, referenced)
        touched = min(unreferenced * (once - twice), unreferenced - leaving)
        cells[INACTIVE, UNREFERENCED, b] = unreferenced - leaving - touched
        cells[INACTIVE, REFERENCED, b] = referenced - leaving_referenced + touched
        left += leaving + leaving_referenced
    if nr_activated == 0:
        return
    if nr_activated - left > 1e-9:
        take_evenly(set_, nr_activated - left)
    bins.resize(env, set_, INACTIVE, -nr_activated)
    bins.add_head(env, set_, ACTIVE, UNREFERENCED, float(nr_activated), env.time_s)
    bins.resize(env, set_, ACTIVE, nr_activated)
    workingset_age_nonresident(env, env.lruvec[set_.lruvec], nr_activated)
    env.node[set_.nid].vmstat.pgactivate += nr_activated
    env.class_[set_.class_id].activated_pages += nr_activated


@inlined
def take_evenly(set_, pages):
    """The rest of a rounded-up activation comes from whatever else the class has on its inactive list."""
    cells = set_.cells
    have = 0.0
    for flag in range(cells.shape[1]):
        for b in range(NR_BINS):
            have += cells[INACTIVE, flag, b]
    keep = max(1.0 - pages / have, 0.0) if have > 0.0 else 0.0
    for flag in range(cells.shape[1]):
        for b in range(NR_BINS):
            cells[INACTIVE, flag, b] *= keep


@kernel
def age_lists(env):
    """Levels the bins of every list whose head is full."""
    for lru in range(env.nr_lruvecs):
        lruvec = env.lruvec[lru]
        for lst in range(NR_LISTS):
            bins.level_bins(env, lruvec, lst)
