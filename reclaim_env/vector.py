"""Many simulated machines stepped together. The scalar env is this with one row; so is every other door."""

import copy as copying
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from reclaim_env import action, arguments, observation
from reclaim_env import reward as costs
from reclaim_env.arguments import ScenarioArg
from reclaim_env.boot import boot
from reclaim_env.copies import copied, put_rows
from reclaim_env.counters import remember_rows
from reclaim_env.info import InfoTable
from reclaim_env.interval import end_interval
from reclaim_env.model.kernel import kernel
from reclaim_env.model.layout import VMSTAT, alloc
from reclaim_env.model.tick import start_episode, step_rows

_SHOWN_HERE_ROWS = 256  # so few take less time on one thread than to be handed out


@kernel
def start_rows(envs, rows):
    for j in range(rows.size):
        start_episode(envs[rows[j]])


def _blocks(num_envs: int, threads: int) -> list[np.ndarray]:
    """Rows as threads take them: guided self-scheduling, by half a thread's share of what is left.

    Rows cost unlike times. Large blocks first and single rows last let the threads end together.
    """
    blocks, first = [], 0
    while first < num_envs:
        left = num_envs - first
        last = first + (left if threads == 1 else math.ceil(left / (2 * threads)))
        blocks.append(np.arange(first, last))
        first = last
    return blocks


def _take(work: Callable[[np.ndarray], None], left: Iterator[np.ndarray]) -> None:
    for rows in left:
        work(rows)


@dataclass(frozen=True)
class Saved:
    """Everything a vector env needs to go on from here: copies, which later steps leave alone."""

    records: np.ndarray
    scenario_of_row: np.ndarray
    before: np.ndarray
    observation: np.ndarray
    node_lost_s: np.ndarray
    last_reward: np.ndarray
    seeded: np.ndarray
    ended: np.ndarray


class ReclaimVectorEnv(VectorEnv):
    """`num_envs` machines; the arguments are those of reclaim_env.env.ReclaimEnv, which is the manual page.

    Beyond them:
      scenario        may be a list, dealt out to the rows in turn (all with as many nodes); what is left over
                      of a longer list is dealt out to their next episodes, and then the list again
      rule            one evaluated in the model at every progress event; actions are then ignored
      autoreset_mode  NEXT_STEP, SAME_STEP or DISABLED, as gymnasium means them
      copy            False returns the same observation array at every call; the next step changes infos
      threads         rows are split among them; the results are the same for any number
      max_episode_steps  of a registration or of gymnasium.make_vec: an episode ends then, if not before

    `reset(seed=s)` gives row i the seed s + i, a list gives each row its own (None: the scenario's, fresh
    where it has none, or kept); without a seed a row keeps its own and begins its next episode. A row's
    future depends on its seed and the number of its episode, never on its place or on other rows.

    After a step, `node_lost_s` is (num_envs, num_nodes, terms), the cost terms node by node, and
    `last_reward` is (num_envs,).
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 10,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        scenario: ScenarioArg | Sequence[ScenarioArg] = "incident",
        kernel: str = "7.0",
        reward: str | Mapping[str, float] = "default",
        control_ms: float = 100,
        episode_s: float = 60,
        sources: bool = False,
        privileged: bool = False,
        rule: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        threads: int = 1,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
    ):
        if render_mode not in (None, *self.metadata["render_modes"]):
            wanted = " or ".join(self.metadata["render_modes"])
            raise ValueError(f"render_mode: found {render_mode!r}, wanted {wanted}")
        if num_envs < 1 or threads < 1:
            raise ValueError(f"found num_envs {num_envs} and threads {threads}, wanted 1 or more of each")
        self.scenarios = arguments.scenarios(scenario)
        self.num_envs, self.num_nodes = num_envs, len(self.scenarios[0].node)
        self.kernel, self.rule, self.sources = kernel, action.known_rule(rule), sources
        self.autoreset_mode, self.copy, self.render_mode = AutoresetMode(autoreset_mode), copy, render_mode
        self._ticks_per_step = arguments.whole("control_ms", control_ms, self.scenarios[0].tick_ms, "tick_ms")
        self.control_s = control_ms / 1000
        steps = arguments.whole("episode_s", episode_s, self.control_s, "control_ms in seconds")
        if max_episode_steps is not None:
            steps = min(steps, arguments.whole("max_episode_steps", max_episode_steps, 1, "one step"))
        self._ticks_per_episode = steps * self._ticks_per_step
        self.metadata = {
            **type(self).metadata,
            "autoreset_mode": self.autoreset_mode,
            "render_fps": max(round(1 / self.control_s), 1),
        }
        self.weights = costs.weights_of(reward)
        self._templates = np.concatenate([boot(one, kernel) for one in self.scenarios])
        action.install_rule(self._templates, self.rule)
        self._set_spaces(privileged)
        self._allocate()
        self._set_threads(threads)

    def _set_spaces(self, privileged: bool) -> None:
        self.features = observation.visible_features(self.kernel, privileged)
        self.single_observation_space = observation.observation_space(self.features, self.num_nodes)
        self.single_action_space = action.action_space(self.num_nodes, self.sources)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._low, self._high = self.single_observation_space.low, self.single_observation_space.high
        names = list(observation.FEATURE)
        columns = np.array([names.index(feature.name) for feature in self.features])
        self._columns = np.concatenate([columns + nid * len(names) for nid in range(self.num_nodes)])

    def _allocate(self) -> None:
        shape, rows = (self.num_envs, self.num_nodes), np.arange(self.num_envs)
        self.scenario_of_row = rows % len(self.scenarios)
        self.records = alloc(self.num_envs)
        self._before = np.zeros(shape, VMSTAT)
        self._all_rows = rows
        self._seeded = np.zeros(self.num_envs, np.bool_)
        self._ended = np.zeros(self.num_envs, np.bool_)
        self._observation = np.zeros((self.num_envs, self.num_nodes * len(self.features)), np.float32)
        self._allocate_scratch()

    def _allocate_scratch(self) -> None:
        shape, terms = (self.num_envs, self.num_nodes), len(costs.COST_TERMS)
        self._node_observation = np.zeros(shape, observation.NODE_OBSERVATION)
        self.info_table = InfoTable(self.num_envs)
        self.node_lost_s = np.zeros((*shape, terms))
        self._lost_s = np.zeros((self.num_envs, terms))
        self.last_reward = np.zeros(self.num_envs)

    def _set_threads(self, threads: int) -> None:
        self._threads = min(threads, self.num_envs)
        self._blocks = _blocks(self.num_envs, self._threads)
        self._pool: ThreadPoolExecutor | None = None

    def _on_blocks(self, work: Callable[[np.ndarray], None]) -> None:
        """Runs work(rows) for every block of rows: each thread, this one too, takes the next that is left."""
        left = iter(self._blocks)  # shared: a list's iterator gives each block to one thread only
        others = [self._helpers().submit(_take, work, left) for _ in range(self._threads - 1)]
        _take(work, left)
        for other in others:
            other.result()

    def _helpers(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads - 1, thread_name_prefix="reclaim-rows")
        return self._pool

    @property
    def ticks_per_step(self) -> int:
        return self._ticks_per_step

    @property
    def steps_left(self) -> np.ndarray:
        """(num_envs,) control intervals to the end of each row's episode."""
        return (self._ticks_per_episode - self.records["tick"]) // self._ticks_per_step

    def close_extras(self, **kwargs: Any) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    # Episodes

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """All rows, or with options={"reset_mask": ...} those it marks; the others keep their observation."""
        super().reset(seed=int(seed) if isinstance(seed, Integral) else None)
        mask = arguments.reset_mask(options, self.num_envs)
        rows = np.flatnonzero(mask)
        self._give_seeds(rows, seed)
        self._restart(rows)
        self._show(rows)
        return self._returned_observation(), self.info_table.of_rows(mask)

    def _give_seeds(self, rows: np.ndarray, seed: int | Sequence[int | None] | None) -> None:
        """Rows with a new seed are at episode 0 of it; the others keep theirs and go on to the next."""
        seeds = arguments.seeds(seed, self.num_envs)
        for row in rows:
            if seeds[row] is None and self._seeded[row]:
                continue
            own = seeds[row]
            if own is None:
                own = self._own_seed(row)
            self.records["seed"][row] = own
            self.records["episode"][row] = -1  # _restart() counts on
            self._seeded[row] = True

    def _own_seed(self, row: int) -> int:
        """The scenario's, counted up from row to row that it is dealt to; a fresh one where it has none."""
        turn, which = divmod(int(row), len(self.scenarios))
        seed = self.scenarios[which].seed
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0]) if seed is None else seed + turn

    def _restart(self, rows: np.ndarray) -> None:
        """The next episode of these rows, at time 0."""
        seeds, episodes = self.records["seed"][rows], self.records["episode"][rows]
        self._deal(rows, episodes + 1)
        for which in np.unique(self.scenario_of_row[rows]):  # by scenario: a copy of all rows would be vast
            own = rows[self.scenario_of_row[rows] == which]
            put_rows(self.records, own, self._templates[which : which + 1])
        self.records["seed"][rows] = seeds
        self.records["episode"][rows] = episodes + 1
        start_rows(self.records, rows)
        remember_rows(self.records, rows, self._before)
        self._ended[rows] = False

    def _deal(self, rows: np.ndarray, episodes: np.ndarray) -> None:
        """The scenario of each of these rows in its episode: always the same if there are enough rows."""
        left_over = len(self._templates) > self.num_envs
        dealt = rows + left_over * episodes * self.num_envs
        self.scenario_of_row[rows] = dealt % len(self._templates)

    # Steps

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One control interval. A row that NEXT_STEP restarts here ignores its action and costs nothing."""
        ended = np.nonzero(self._ended)[0]
        self._refuse_step(ended)
        if self.rule is None:
            bits = self.num_nodes * len(action.bits_of_node(self.sources))
            actions = action.checked(actions, (self.num_envs, bits))
            action.set_masks(self.records, actions, self.num_nodes, self.sources)
        self._on_blocks(self._advance)
        if len(ended):  # rows are independent: what they simulated past their end is dropped here
            self._restart(ended)
        if self.num_envs > _SHOWN_HERE_ROWS:
            self._on_blocks(self._show)
        else:
            self._show(self._all_rows)
        truncated = self.records["tick"] >= self._ticks_per_episode
        self._ended = truncated.copy()
        rewards = self.last_reward.copy()
        if self.autoreset_mode is AutoresetMode.SAME_STEP and np.count_nonzero(truncated):
            info = self._restart_ended(truncated.copy())
        else:
            info = self._returned_info()
        return self._returned_observation(), rewards, np.zeros(self.num_envs, np.bool_), truncated, info

    def _refuse_step(self, ended: np.ndarray) -> None:
        if np.count_nonzero(self._seeded) < self.num_envs:
            raise ResetNeeded("call reset() before step()")
        if self.autoreset_mode is AutoresetMode.DISABLED and len(ended):
            rows = ", ".join(map(str, ended[:8]))
            raise ResetNeeded(f"the episode of row {rows} has ended: reset it before the next step")

    def _advance(self, rows: np.ndarray) -> None:
        step_rows(self.records[rows[0] : rows[-1] + 1], self._ticks_per_step)

    def _show(self, rows: np.ndarray) -> None:
        """What the interval showed and cost; the next one begins."""
        end_interval(
            self.records,
            rows,
            self._before,
            self._before.view(np.int64),
            self.control_s,
            self._node_observation,
            self._node_observation.view(np.float32),
            self._columns,
            self._low,
            self._high,
            self._observation,
            self.weights,
            self.node_lost_s,
            self._lost_s,
            self.last_reward,
            self.info_table.words,
        )

    def _restart_ended(self, ended: np.ndarray) -> dict[str, Any]:
        """SAME_STEP: keeps what the ended rows showed last, restarts them, returns the info of all rows."""
        rows = np.flatnonzero(ended)
        last = np.full(self.num_envs, None, object)
        last[rows] = np.fromiter(self._observation[rows], object, len(rows))
        final = self.info_table.of_rows(ended)
        node_lost_s, last_reward = self.node_lost_s.copy(), self.last_reward.copy()
        self._restart(rows)
        self._show(rows)
        self.node_lost_s, self.last_reward = node_lost_s, last_reward  # of the interval just over
        more = {"final_obs": last, "final_info": final, "_final_obs": ended, "_final_info": ended}
        return self._returned_info() | more

    def _returned_info(self) -> dict[str, Any]:
        return self.info_table.copied() if self.copy else self.info_table.shown()

    def _returned_observation(self) -> np.ndarray:
        return self._observation.copy() if self.copy else self._observation

    # Copies of the whole

    def save(self) -> Saved:
        return Saved(
            records=copied(self.records),
            scenario_of_row=self.scenario_of_row.copy(),
            before=copied(self._before),
            observation=self._observation.copy(),
            node_lost_s=self.node_lost_s.copy(),
            last_reward=self.last_reward.copy(),
            seeded=self._seeded.copy(),
            ended=self._ended.copy(),
        )

    def restore(self, saved: Saved) -> None:
        """Goes back to a state saved by this env or one made with the same arguments."""
        if saved.before.shape != self._before.shape or saved.observation.shape != self._observation.shape:
            found = f"{saved.before.shape} rows and nodes, {saved.observation.shape} observations"
            wanted = f"{self._before.shape}, {self._observation.shape}"
            raise ValueError(f"saved: found {found}, wanted {wanted}")
        self.records, self._before = copied(saved.records), copied(saved.before)
        self.scenario_of_row, self._observation = saved.scenario_of_row.copy(), saved.observation.copy()
        self.node_lost_s, self.last_reward = saved.node_lost_s.copy(), saved.last_reward.copy()
        self._seeded, self._ended = saved.seeded.copy(), saved.ended.copy()

    def fork(self) -> "ReclaimVectorEnv":
        """A copy with the same future, given the same actions; neither touches the other."""
        other = copying.copy(self)
        other._np_random = copying.deepcopy(self._np_random)
        other._pool = None
        other._allocate_scratch()
        other.restore(self.save())
        return other

    def render(self) -> tuple[Any, ...] | None:
        if self.render_mode is None:
            return None
        from reclaim_env.render import render_row

        return tuple(render_row(self, row, self.render_mode) for row in range(self.num_envs))
