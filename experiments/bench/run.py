"""The timings of `reclaim bench`: warmed up, the best of a few: a busy machine is no slow model."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing

import numpy as np

from reclaim_env.model.layout import ENV
from reclaim_env.scenario import Scenario, load
from reclaim_env.vector import ReclaimVectorEnv

from ..evaluate import no_action
from ..identity import usable_cpus, versions
from .machine import Load, machine
from .parts import PARTS

LOADS: tuple[Load, ...] = ("ordinary", "thrashing", "spinning")
BATCHES = (1, 64, 1024, 16384)
THREADS = (1, 2)
THREADED_BATCH = 1024
SHAPES = ((1, 2), (2, 2), (2, 4), (2, 8), (4, 8), (4, 16), (8, 15))  # nodes, cgroups
LINEAR_BATCH = 64
HOUR_S = 3600
MIN_TIMED_S = 0.5
NR_REPEATS = 3
MODELS = 8  # a batch is made of so many different machines, each several times
WARM_UP_STEPS = 30  # 3 s: the hogs have brought the nodes to their low watermark
NR_PARTS = len(LOADS) * len(BATCHES) + len(THREADS) + len(SHAPES) + len(PARTS) + 4

START = """
import time; began = time.perf_counter()
import numpy as np
from reclaim_env.vector import ReclaimVectorEnv
env = ReclaimVectorEnv(1, "incident", rule="always"); env.reset(seed=0)
env.step(np.zeros(env.action_space.shape, np.int8))
print(time.perf_counter() - began)
"""


def run(progress: Callable[[str, int], None]) -> dict[str, object]:
    def part(words: str, work: Callable[[], float | None]) -> float | None:
        progress(words, 0)
        found = work()
        progress(words, 1)
        return found

    with tempfile.TemporaryDirectory() as cache:
        cold_s = part("cold start: compiling into an empty cache", lambda: start_s(cache))
        warm_s = part("warm start", lambda: start_s(cache))
    machines = {load: machine(2, 4, 6, load) for load in LOADS}
    timed = {
        load: {str(n): part(f"{load}, {n} envs", lambda n=n, one=one: step_us(one, n)) for n in BATCHES}
        for load, one in machines.items()
    }
    threads = {
        str(n): part(f"{n} threads", lambda n=n: step_us(machines["spinning"], THREADED_BATCH, n))
        for n in THREADS
    }
    parts = {
        name: part(name, lambda make=make: step_us(make(), LINEAR_BATCH)) for name, make in PARTS.items()
    }
    linear = [linear_point(nodes, cgroups, part) for nodes, cgroups in SHAPES]
    return {
        "us_per_env_step": timed["ordinary"],
        "us_per_env_step_thrashing": timed["thrashing"],
        "us_per_env_step_spinning": timed["spinning"],
        "us_per_env_step_parts": parts,
        "threads": threads,
        "cold_start_s": cold_s,
        "warm_start_s": warm_s,
        "bytes_per_env": bytes_per_env(machines["spinning"]),
        "hour_s": {
            rule: part(f"a simulated hour of the incident, {rule}", lambda rule=rule: hour_s(rule))
            for rule in ("always", "balanced")
        },
        "linear": linear,
        "shape": {"nodes": 2, "cgroups": 4, "classes": 6, "control_ms": 100, "tick_ms": 10},
        "machine": {"cpus": usable_cpus(), "versions": versions()},
    }


def start_s(cache: str) -> float:
    """A fresh interpreter until after its first step."""
    environment = {**os.environ, "RECLAIM_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=True
    )
    return round(float(done.stdout), 3)


def step_us(scenario: Scenario, num_envs: int, threads: int = 1) -> float | None:
    """Microseconds of one 100 ms step of one env; None where so many do not fit into memory."""
    if num_envs * ENV.itemsize * 1.5 > free_bytes():
        return None
    env = ReclaimVectorEnv(num_envs, scenario, rule="always", episode_s=HOUR_S, threads=threads, copy=False)
    with closing(env):
        env.reset(seed=0)
        env.records[:] = under_way(scenario)[np.arange(num_envs) % MODELS]
        nothing = no_action(env)
        best_s = stepped_s(env, nothing, 1, threads)
        steps = round(MIN_TIMED_S / best_s)
        for _ in range(NR_REPEATS if steps else 0):
            best_s = min(best_s, stepped_s(env, nothing, max(1, steps), threads) / max(1, steps))
    return round(1e6 * best_s / num_envs, 3)


def under_way(scenario: Scenario) -> np.ndarray:
    """(MODELS,) machines of different seeds, some seconds into their episodes."""
    env = ReclaimVectorEnv(MODELS, scenario, rule="always", episode_s=HOUR_S)
    env.reset(seed=0)
    stepped_s(env, no_action(env), WARM_UP_STEPS)
    return env.records


def stepped_s(env: ReclaimVectorEnv, actions: np.ndarray, steps: int, threads: int = 1) -> float:
    """CPU seconds on one thread, so that what the machine does besides does not count; else by the clock."""
    clock = time.process_time if threads == 1 else time.perf_counter
    began = clock()
    for _ in range(steps):
        env.step(actions)
    return clock() - began


def linear_point(nodes: int, cgroups: int, part: Callable) -> dict[str, float | None]:
    one = machine(nodes, cgroups, cgroups, "spinning")
    us = part(f"{nodes} nodes x {cgroups} cgroups", lambda: step_us(one, LINEAR_BATCH))
    return {
        "nodes": nodes,
        "cgroups": cgroups,
        "us": us,
        "us_per_node_and_cgroup": round(us / (nodes * cgroups), 3),
    }


def bytes_per_env(scenario: Scenario) -> int:
    """All arrays a row has: state, its copy of the counters, observation, scratch."""
    few, more = (_array_bytes(ReclaimVectorEnv(n, scenario)) for n in (1, 2))
    return more - few


def _array_bytes(env: ReclaimVectorEnv) -> int:
    return sum(value.nbytes for value in vars(env).values() if isinstance(value, np.ndarray))


def hour_s(rule: str) -> float:
    env = ReclaimVectorEnv(1, load("incident"), rule=rule, episode_s=HOUR_S, copy=False)
    env.reset(seed=0)
    nothing = no_action(env)
    stepped_s(env, nothing, 1)
    env.reset(seed=0)
    return round(stepped_s(env, nothing, round(HOUR_S / env.control_s)), 3)


def free_bytes() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def render(found: dict) -> str:
    """The same for a reader."""
    envs = [f"{n:>10}" for n in found["us_per_env_step"]]
    lines = [
        "us per env step, 2 nodes x 4 cgroups x 6 classes, 100 ms, one thread",
        f"{'envs':<24}{''.join(envs)}",
    ]
    for name in LOADS:
        row = "us_per_env_step" if name == LOADS[0] else f"us_per_env_step_{name}"
        lines.append(f"{name:<24}{''.join(f'{_cell(us):>10}' for us in found[row].values())}")
    threads = ", ".join(f"{n}: {_cell(us)}" for n, us in found["threads"].items())
    lines += [
        f"with one more part      {LINEAR_BATCH} envs",
        *(f"  {name:<22}{_cell(us):>10}" for name, us in found["us_per_env_step_parts"].items()),
        f"threads ({THREADED_BATCH} envs)      {threads}",
        "a simulated hour        "
        + ", ".join(f"{rule}: {seconds} s" for rule, seconds in found["hour_s"].items())
        + " (incident, one env)",
        f"start, cold and warm    {found['cold_start_s']} s, {found['warm_start_s']} s",
        f"bytes per env           {found['bytes_per_env']}",
        "nodes x cgroups: us per env step (per node and cgroup)",
    ]
    lines += [
        f"{p['nodes']:>5} x {p['cgroups']:<4} {p['us']:>8} ({p['us_per_node_and_cgroup']})"
        for p in found["linear"]
    ]
    return "\n".join(lines) + "\n"


def _cell(us: float | None) -> str:
    return "n/a" if us is None else str(us)
