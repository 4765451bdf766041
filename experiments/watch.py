"""Two or more rules on the same machine, seed and demand, side by side in a terminal as time goes by."""

import time
from collections.abc import Callable, Iterator, Sequence

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule

from reclaim_env.render_text import machine_lines
from reclaim_env.render_view import machine_view
from reclaim_env.scenario import Scenario
from reclaim_env.vector import ReclaimVectorEnv

from .evaluate import at_the_start, no_action
from .identity import Setting

NARROWEST = 56  # cells of a machine; in a narrower terminal machines stand one below the other
PRINTED_EVERY_S = 5.0  # where stdout is no terminal


def machines(scenario: Scenario, rules: Sequence[str], seed: int, setting: Setting) -> list[ReclaimVectorEnv]:
    """One for each rule, at time 0 of the same episode."""
    return [at_the_start(scenario, setting, seed, rule) for rule in rules]


def frames(envs: Sequence[ReclaimVectorEnv]) -> Iterator[float]:
    """Steps all machines to the end of their episodes; yields the time in seconds, 0 first."""
    yield 0.0
    ended = False
    while not ended:
        for env in envs:
            _, _, _, truncated, _ = env.step(no_action(env))
            ended = bool(truncated[0])
        yield float(envs[0].records["time_s"][0])


def play(
    envs: Sequence[ReclaimVectorEnv],
    console: Console,
    speed: float,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """In a terminal, `speed` simulated seconds a second; into a file, a frame every PRINTED_EVERY_S."""
    if not console.is_terminal:
        _print(envs, console)
        return
    began = time.monotonic()
    with Live(console=console, auto_refresh=False, screen=False) as live:
        for time_s in frames(envs):
            live.update(_picture(envs, console.width), refresh=True)
            sleep(max(began + time_s / speed - time.monotonic(), 0.0))


def _print(envs: Sequence[ReclaimVectorEnv], console: Console) -> None:
    due_s = 0.0
    for time_s in frames(envs):
        if time_s >= due_s - 1e-9:
            console.print(_picture(envs, console.width), Rule(style="dim"))
            due_s += PRINTED_EVERY_S


def _picture(envs: Sequence[ReclaimVectorEnv], width: int) -> Columns | Group:
    own = width // len(envs) - 2
    if own < NARROWEST:
        return Group(*(Group(*machine_lines(machine_view(env, 0), width), "") for env in envs))
    blocks = [Group(*machine_lines(machine_view(env, 0), own)) for env in envs]
    return Columns(blocks, width=own, padding=(0, 1))
