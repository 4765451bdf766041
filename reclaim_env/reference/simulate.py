"""The event loop: what happens next happens now."""

import math

from .boost import steal_block
from .charge import drain_stock, reclaim_to
from .compiled import compiled, inlined
from .demote import switch_demotion
from .hotplug import plug
from .kswapd import end_doze, kswapd_step
from .names import (
    ANON_DEMAND,
    ARRIVAL,
    BOOST,
    BURST,
    DEMOTION_OFF,
    DEMOTION_ON,
    DOZE_END,
    FLUSH,
    HOTPLUG,
    KSWAPD_STEP,
    LIMIT,
    MEMCG_HIGH,
    MEMCG_MAX,
    NOWHERE,
    PROACTIVE,
    SLAB,
    SWAPON,
    SWITCH,
    THREAD,
    TOUCH,
)
from .oom import kill_victim
from .queue import schedule, take_first
from .reader import arrive
from .slab import grow_slab
from .tasks import burst, compare_demand, run_thread, touch_swapped
from .touch import catch_up
from .workingset import flush_statistics


@compiled
def advance(m, until_s):
    """Runs the machine to a moment."""
    system = m.system[0]
    while system.nr_events > 0 and m.event[0].at_s <= until_s:
        at_s, kind, of = take_first(m)
        system.time_s = max(at_s, system.time_s)
        system.running, system.spent_s = NOWHERE, 0.0
        if kind == THREAD:
            take_turn(m, of, at_s)
        elif kind == ARRIVAL:
            if m.instance[of].arrival_s == at_s:
                arrive(m, of)
            if m.instance[of].arrival_s < math.inf:
                schedule(m, m.instance[of].arrival_s, ARRIVAL, of)
        elif kind == KSWAPD_STEP:
            kswapd_step(m, of)
        elif kind == DOZE_END:
            end_doze(m, of % 8, of // 8)
        elif kind == ANON_DEMAND:
            compare_demand(m, of)
        elif kind == SWITCH:
            switch(m, of)
        elif kind == FLUSH:
            schedule(m, flush_statistics(m), FLUSH, 0)
        elif kind == LIMIT:
            write_limit(m, of)
        elif kind == BURST:
            burst(m, of)
        elif kind == BOOST:
            steal_block(m, of)
        elif kind == SLAB:
            grow_slab(m, of)
        elif kind == TOUCH:
            touch_swapped(m, of)
        elif kind == HOTPLUG:
            plug(m, of)
    system.time_s = until_s


@inlined
def take_turn(m, t, at_s):
    """Unless the thread has had it meanwhile, and comes again later."""
    thread = m.thread[t]
    thread.is_queued = 0
    if thread.at_s == at_s:
        m.system[0].running = t
        thread.at_s = math.inf
        run_thread(m, t)
    elif thread.at_s < math.inf:
        thread.is_queued = 1
        schedule(m, thread.at_s, THREAD, t)


@compiled
def switch(m, c):
    """A file or a heat falls silent, or is in use again."""
    row = m.class_[c]
    if row.anon:
        catch_up(m, c)
    row.on = 1 - row.on
    row.next_switch += 1
    if row.next_switch < row.last_switch:
        schedule(m, m.switch[row.next_switch].at_s, SWITCH, c)


@compiled
def write_limit(m, i):
    """A write to memory.high, memory.max or memory.reclaim; swapon, which resets nobody's count; demotion."""
    limit = m.limit[i]
    if limit.reason == SWAPON:
        m.system[0].swap_on = 1
        return
    if limit.reason == DEMOTION_ON or limit.reason == DEMOTION_OFF:
        switch_demotion(m, limit.reason == DEMOTION_ON)
        return
    row = m.memcg[limit.memcg]
    if limit.reason == MEMCG_HIGH:
        row.high_pages = limit.pages
        drain_stock(m, limit.memcg)
        reclaim_to(m, limit.memcg, limit.pages, MEMCG_HIGH)
    elif limit.reason == MEMCG_MAX:
        row.max_pages = limit.pages
        drain_stock(m, limit.memcg)
        reclaim_to(m, limit.memcg, limit.pages, MEMCG_MAX)
        if row.usage_pages > row.max_pages:
            kill_victim(m, limit.memcg, -1)
    else:
        reclaim_to(m, limit.memcg, row.usage_pages - limit.pages, PROACTIVE)
