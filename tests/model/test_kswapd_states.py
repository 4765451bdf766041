"""kswapd of a tiny node visits exactly the states, by exactly the steps, that its state table allows.

The table (phase, event, next phase) and one run over a short list of cold pages are written down here once
more, as what they are in mm/vmscan.c, and searched breadth first; the model is driven by the same events.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import pytest

from reclaim_env.model.constants import DOZE, RUN, SLEEP
from tests.model.machines import one_file, passes_one_by_one, set_free

HIGH, MOST_FREE, MOST_LISTED, HOPELESS = 6, 8, 9, 16


class State(NamedTuple):
    phase: int
    failures: int
    free: int
    listed: int  # read() pages on the inactive list, none of them touched again


Steps = Callable[[State], dict[str, State]]


def is_balanced(state: State) -> bool:
    return state.free > HIGH


def may_sleep(state: State) -> bool:
    return state.failures >= HOPELESS or is_balanced(state)


def others(state: State) -> dict[str, State]:
    """What tasks and limits do to a node: allocate, free, read a page of a file, clear the count."""
    found = {"clear": state._replace(failures=0)}
    if state.free > 0:
        found["allocate"] = state._replace(free=state.free - 1)
        if state.listed < MOST_LISTED:
            found["read"] = state._replace(free=state.free - 1, listed=state.listed + 1)
    if state.free < MOST_FREE:
        found["free"] = state._replace(free=state.free + 1)
    return found


def allowed(progress_clears: bool) -> Steps:
    """The state table."""

    def run(state: State) -> State:
        freed = 0
        for priority in range(12, 0, -1):
            if is_balanced(state):
                return state._replace(phase=DOZE)
            taken = state.listed >> priority
            state = state._replace(free=state.free + taken, listed=state.listed - taken)
            freed += taken
            if taken and progress_clears:
                state = state._replace(failures=0)
        state = state._replace(failures=state.failures + (freed == 0))
        return state._replace(phase=DOZE if may_sleep(state) else RUN)

    def steps(state: State) -> dict[str, State]:
        if state.phase == RUN:
            return {"run": run(state)}
        woken = state if may_sleep(state) else state._replace(phase=RUN)
        if state.phase == SLEEP:
            return {"wake": woken}
        return {"wake": woken, "timer": state._replace(phase=SLEEP) if may_sleep(state) else woken}

    return steps


def of_model(model, progress_clears: bool) -> Steps:
    """The same steps by the model's functions, on a node put into the state."""
    envs = [one_file(inactive=listed) for listed in range(MOST_LISTED + 1)]

    def node_in(state: State):
        env = envs[state.listed].copy()
        set_free(env, state.free)
        node = env.node[0]
        node.high_wmark_pages, node.kswapd_phase, node.kswapd_failures = HIGH, state.phase, state.failures
        node.reset_always_mask = 1 if progress_clears else 0
        return env

    def read(env) -> State:
        node = env.node[0]
        found = (node.kswapd_phase, node.kswapd_failures, node.free_pages, env.set_[0].resident_pages[0])
        return State(*map(int, found))

    def run(env) -> None:
        while True:
            model.kswapd.balance_pgdat_step(env, 0, 0.0)
            if not env.node[0].in_run:
                return

    def steps(state: State) -> dict[str, State]:
        moves: dict[str, Callable] = {"run": run}
        if state.phase != RUN:
            moves = {"wake": lambda env: model.wakeup.wakeup_kswapd(env.node[0])}
        if state.phase == DOZE:
            moves["timer"] = lambda env: model.kswapd.end_doze(env.node[0])
        found = {}
        for name, move in moves.items():
            env = node_in(state)
            move(env)
            found[name] = read(env)
        return found

    return steps


def search(steps: Steps) -> set[tuple[State, str, State]]:
    """Every transition that can be reached from a balanced node asleep."""
    start = State(int(SLEEP), 0, MOST_FREE, 0)
    seen, waiting, transitions = {start}, deque([start]), set()
    while waiting:
        state = waiting.popleft()
        for event, after in (others(state) | steps(state)).items():
            transitions.add((state, event, after))
            if after not in seen and after.free <= MOST_FREE and after.failures <= HOPELESS:
                seen.add(after)
                waiting.append(after)
    return transitions


@pytest.mark.parametrize("progress_clears", [True, False], ids=["always", "never"])
def test_the_states_and_steps_of_kswapd_are_those_of_its_table(model, progress_clears):
    wanted = search(allowed(progress_clears))
    with passes_one_by_one(model):
        found = search(of_model(model, progress_clears))
    states = {state for state, _, _ in wanted}
    assert {state.phase for state in states} == {SLEEP, RUN, DOZE}
    assert max(state.failures for state in states) == HOPELESS
    assert 1000 < len(states) < 50_000
    assert found == wanted
