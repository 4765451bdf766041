"""The order of events in one tick, and the two entries of the model: start_episode() and step_rows()."""

from reclaim_env.model import access, anon, arrivals, boost, device, memory_hotplug, reader, rstat, slab
from reclaim_env.model.account import account
from reclaim_env.model.constants import (
    ALL_NODES,
    ANON,
    ATOMIC,
    MEMCG_HIGH,
    MEMCG_MAX,
    PROACTIVE,
    READER,
    ROOT,
    STREAM,
    SWAPON,
)
from reclaim_env.model.demand import share_device
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.kswapd import kswapd
from reclaim_env.model.memcontrol import reclaim_to, resume_user_mode_work
from reclaim_env.model.oom_kill import kill_victim
from reclaim_env.model.oomd import watch_pressure
from reclaim_env.model.page_counter import mem_cgroup_calculate_protection
from reclaim_env.model.probe import probe_hopeless
from reclaim_env.model.psi import begin_psi, psi_account
from reclaim_env.model.slices import count_slices
from reclaim_env.model.switches import flip


@kernel
def start_episode(env):
    """Draws what differs between episodes: phases of the statistics' worker, of classes and of bursts."""
    rstat.begin_flushes(env)
    access.begin_phases(env)
    anon.begin_bursts(env)
    boost.begin_boosts(env)
    reader.begin_streams(env)
    begin_psi(env)


@kernel
def step_rows(envs, nr_ticks):
    """Advances each row of envs (n,) by nr_ticks ticks, one row after the other: rows share nothing."""
    for i in range(envs.shape[0]):
        for _ in range(nr_ticks):
            tick(envs[i])


@inlined
def tick(env):
    """One tick of one machine."""
    access.switch_classes(env)
    rstat.flush_memcg_stats_dwork(env)
    apply_events(env)
    memory_hotplug.plug_memory(env)
    slab.grow_slabs(env)
    mem_cgroup_calculate_protection(env, ROOT)
    nr_slices = count_slices(env)
    slice_s = env.tick_s / nr_slices
    for s in range(nr_slices):
        env.slice = s
        env.nr_scans = 0
        env.slice_s = slice_s
        env.time_s = (env.tick + s / nr_slices) * env.tick_s
        run_slice(env, slice_s)
    access.mark_accessed(env)
    access.age_lists(env)
    env.tick += 1
    env.time_s = env.tick * env.tick_s
    account(env)
    probe_hopeless(env)
    psi_account(env)
    watch_pressure(env)


@inlined
def run_slice(env, slice_s):
    """Demand meets memory: readers, streams, tasks; then the device, kswapd, and the end of the slice.

    Blocks are stolen after the tasks, before kswapd: it reclaims a boost sooner than tasks could meet it.
    """
    share_device(env, slice_s)
    for i in range(env.nr_workloads):
        w = (i + env.tick) % env.nr_workloads
        env.now_s = env.time_s
        kind = env.workload[w].kind
        if kind == READER:
            if env.workload[w].is_due:
                reader.run_reader(env, w, slice_s)
        elif kind == STREAM:
            reader.run_stream(env, w, slice_s)
        elif kind == ANON:
            anon.run_anon(env, w, slice_s)
        elif kind == ATOMIC:
            anon.run_atomic(env, w)
    device.serve(env.device, slice_s)
    if env.swap.on:
        device.serve(env.swap_device, slice_s)
    boost.steal_blocks(env, env.time_s + slice_s)
    for i in range(env.nr_nodes):
        nid = (i + env.tick) % env.nr_nodes
        env.node[nid].arrived_ratio = 0.0
        kswapd(env, nid, slice_s)
        arrivals.deliver(env, nid, 1.0)
    resume_user_mode_work(env, slice_s)
    sleep_off(env, slice_s)


@inlined
def sleep_off(env, slice_s):
    """Tasks that memory.high sent to sleep sleep."""
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.sleep_debt_s > 0.0:
            slept_s = min(work.sleep_debt_s, work.threads * slice_s)
            work.sleep_debt_s -= slept_s
            env.node[work.cpu_node].vmstat.high_delay_s += slept_s
            env.memcg[work.memcg].high_delay_s += slept_s


@inlined
def apply_events(env):
    """Limits written and memory.reclaim asked for, each at its time."""
    while env.next_event < env.nr_events and env.event[env.next_event].at_s <= env.time_s:
        event = env.event[env.next_event]
        env.next_event += 1
        if event.kind >= SWAPON:
            flip(env, event.kind)
            continue
        memcg = env.memcg[event.target]
        if event.kind == MEMCG_HIGH:
            memcg.high_pages = event.pages
            reclaim_to(env, event.target, event.pages, MEMCG_HIGH)
        elif event.kind == MEMCG_MAX:
            memcg.max_pages = event.pages
            reclaim_to(env, event.target, event.pages, MEMCG_MAX)
            if memcg.usage_pages > memcg.max_pages:
                kill_victim(env, event.target, ALL_NODES)
        elif event.kind == PROACTIVE:
            reclaim_to(env, event.target, memcg.usage_pages - event.pages, PROACTIVE)
