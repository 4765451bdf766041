"""A killer in user space, as systemd-oomd (src/oom/oomd-manager.c of systemd): off unless the scenario asks.

Once a second it looks at the full memory pressure of the last 10 s. Where that has been above its limit for
its duration, everything in the cgroup scanned most since the last look dies - here the processes with
anonymous memory in it, which restart as after the kernel's kills. Left out: pressure of single cgroups (it
goes by the machine's), swap use, preferences.
"""

from reclaim_env.model.constants import ANON, MEMORY_FULL
from reclaim_env.model.kernel import inlined, kernel
from reclaim_env.model.oom_kill import begin_dying

LOOK_S = 1.0
PAUSE_S = 15.0  # after a kill


@inlined
def watch_pressure(env):
    """The look that is due."""
    oomd = env.oomd
    if oomd.limit_ratio > 0.0 and env.time_s + 1e-9 >= oomd.next_look_s:
        oomd.next_look_s += LOOK_S
        look(env, oomd)


@kernel
def look(env, oomd):
    """Kills where the pressure has lasted; notes what each cgroup was scanned until now."""
    if env.psi.avg10_ratio[MEMORY_FULL] <= oomd.limit_ratio:
        oomd.above_since_s = -1.0
    elif oomd.above_since_s < 0.0:
        oomd.above_since_s = env.time_s
    if oomd.above_since_s >= 0.0 and env.time_s - oomd.above_since_s >= oomd.duration_s - 1e-9:
        victim = most_scanned(env)
        if victim >= 0:
            kill_cgroup(env, victim)
            oomd.above_since_s = -1.0
            oomd.next_look_s = env.time_s + PAUSE_S
    for g in range(env.nr_memcgs):
        env.memcg[g].looked_pgscan = env.memcg[g].pgscan


@inlined
def most_scanned(env):
    """The cgroup with somebody to kill that was scanned most, of equals the largest; -1: nobody."""
    found = -1
    for w in range(env.nr_workloads):
        if not is_victim(env, env.workload[w]):
            continue
        g = env.workload[w].memcg
        if found < 0 or exceeds(env.memcg[g], env.memcg[found]):
            found = g
    return found


@inlined
def exceeds(one, other):
    """Is one cgroup to be killed rather than the other?"""
    scanned = one.pgscan - one.looked_pgscan
    other_scanned = other.pgscan - other.looked_pgscan
    return scanned > other_scanned or (scanned == other_scanned and one.usage_pages > other.usage_pages)


@inlined
def is_victim(env, work):
    """Does it hold memory, and live?"""
    if work.kind != ANON or work.dying:
        return False
    pages = 0
    for nid in range(env.nr_nodes):
        pages += work.anon_pages[nid]
    return pages > 0


@inlined
def kill_cgroup(env, g):
    """Every process of the cgroup: one kill each."""
    for w in range(env.nr_workloads):
        work = env.workload[w]
        if work.memcg == g and is_victim(env, work):
            begin_dying(env, work)
            work.oomd_kill += 1
            env.node[work.cpu_node].vmstat.oomd_kill += 1
