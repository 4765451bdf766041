"""Pressure: how much of the time tasks wait for memory or for reads (kernel/sched/psi.c).

Kept: some and full of memory and io for the machine, as totals and as averages over 10 and 60 s. Memory stall
is time in direct reclaim, in reclaim and sleeps by order of memory.high, waits for pages of the working set
(recent refaults, swap-ins) and all of kswapd's running time; io stall is every wait for a read. The kernel
looks at each CPU by itself; here the means of a tick are spread over all CPUs alike. Left out: pressure of
single cgroups, of cpu and irq; a task in direct reclaim counts as running even while it is kept waiting.
"""

from reclaim_env.model.constants import IO_FULL, IO_SOME, MEMORY_FULL, MEMORY_SOME, NR_PRESSURES
from reclaim_env.model.kernel import inlined, kernel

# PSI_FREQ, EXP_10s and EXP_60s of FIXED_1
UPDATE_S = 2.0
KEPT_10S = 1677.0 / 2048.0
KEPT_60S = 1981.0 / 2048.0


@inlined
def begin_psi(env):
    """The averages begin at 0."""
    env.psi.next_update_s = UPDATE_S


@inlined
def psi_account(env):
    """Books one tick."""
    psi = env.psi
    reclaiming_s = 0.0
    slept_s = 0.0
    read_s = 0.0
    workingset_s = 0.0
    for nid in range(env.nr_nodes):
        vmstat = env.node[nid].vmstat
        reclaiming_s += vmstat.stall_s + vmstat.limit_reclaim_s + vmstat.kswapd_cpu_s
        slept_s += vmstat.high_delay_s
        read_s += vmstat.read_wait_s
        workingset_s += vmstat.workingset_wait_s
    working_s = productive_s(env)
    record(
        psi,
        env.tick_s,
        float(env.nr_cpus),
        reclaiming_s - psi.reclaiming_before_s,
        slept_s - psi.slept_before_s,
        read_s - psi.read_before_s,
        workingset_s - psi.workingset_before_s,
        working_s - psi.working_before_s,
    )
    psi.reclaiming_before_s = reclaiming_s
    psi.slept_before_s = slept_s
    psi.read_before_s = read_s
    psi.workingset_before_s = workingset_s
    psi.working_before_s = working_s
    psi_avgs_work(psi, env.time_s)


@inlined
def productive_s(env):
    """CPU seconds of tasks' own work since the episode began."""
    total_s = 0.0
    for w in range(env.nr_workloads):
        total_s += env.workload[w].ops * env.workload[w].op_cpu_s
    return total_s


@kernel
def record(psi, tick_s, nr_cpus, reclaiming_s, slept_s, read_s, workingset_s, working_s):
    """Shares of a tick, from thread seconds: waiters over threads, and what of the threads nobody works in.

    A task that waits for a page of the working set is in both, memory and io.
    """
    stalled_s = reclaiming_s + slept_s + workingset_s
    threads_s = min(working_s + stalled_s + read_s - workingset_s, nr_cpus * tick_s)
    if threads_s <= 0.0:
        return
    idle = 1.0 - min(working_s / threads_s, 1.0)
    not_running = 1.0 - min((working_s + reclaiming_s) / threads_s, 1.0)
    memory = min(stalled_s / threads_s, 1.0)
    io = min(read_s / threads_s, 1.0)
    psi.total_s[MEMORY_SOME] += memory * tick_s
    psi.total_s[MEMORY_FULL] += min(memory, idle) * tick_s
    psi.total_s[IO_SOME] += io * tick_s
    psi.total_s[IO_FULL] += min(io, not_running) * tick_s


@inlined
def psi_avgs_work(psi, now_s):
    """Every two seconds the averages take in what was stalled since the last time."""
    if now_s + 1e-9 < psi.next_update_s:
        return
    for i in range(NR_PRESSURES):
        share = (psi.total_s[i] - psi.sampled_s[i]) / UPDATE_S
        psi.sampled_s[i] = psi.total_s[i]
        psi.avg10_ratio[i] += (1.0 - KEPT_10S) * (share - psi.avg10_ratio[i])
        psi.avg60_ratio[i] += (1.0 - KEPT_60S) * (share - psi.avg60_ratio[i])
    psi.next_update_s += UPDATE_S
