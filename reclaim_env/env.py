"""One simulated machine as a gymnasium.Env: the vector env seen one row at a time."""

import copy as copying
from collections.abc import Mapping
from textwrap import indent
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from reclaim_env.arguments import ScenarioArg
from reclaim_env.observation import feature_docs
from reclaim_env.vector import ReclaimVectorEnv, Saved


class ReclaimEnv(gym.Env):
    """When reclaim makes progress on a NUMA node, should the kernel forget that kswapd kept failing?

    kswapd frees memory of its node until the node is back above its high watermark. Sixteen runs in a
    row that free nothing and it gives up: the node is hopeless, and stays so until the count of failures,
    `kswapd_failures`, is set to 0. Up to Linux 6.19 any page freed on the node by anybody did that; since 7.0
    it needs a balanced node. The first keeps a kswapd spinning that can achieve nothing, the second can
    leave one dead that would now succeed. Here an agent decides, every control interval, for every node.

    ## Action
    `MultiBinary(nodes)`. Bit n stands for node n during the next interval (100 ms):

    | bit | meaning                                                                         |
    |-----|---------------------------------------------------------------------------------|
    | 0   | keep `kswapd_failures`, whatever progress is made                               |
    | 1   | set it to 0 at every progress event: kswapd, direct reclaim, cgroup reclaim     |

    With `sources=True`: `MultiBinary(3 * nodes)`, node-major, three bits per node: progress by kswapd, by
    the allocator's direct reclaim, by cgroup reclaim (memory.high, memory.max, memory.reclaim).
    A reset does not wake kswapd; a node that is short of memory does. No action stops a kswapd that runs.
    The reset on freeing above high (6.18 and later) belongs to the kernel preset, not to the agent.

    ## Observation
    `Box(nodes * features,)` float32, node-major: all features of node 0, then of node 1, ... Values are
    clipped to the bounds of `observation_space`. Rates are over the last interval, unless a name says 2s or
    20s.

    {FEATURES}

    `kernel-cheap` is at hand in the kernel when the decision is made, `kernel-possible` would need a counter
    or clock more; `privileged` ones are hidden unless `privileged=True`. The count of failures below 16 is
    privileged before 7.0, whose tracepoint shows it. `env.unwrapped.features` has the rows in use.

    ## Reward
    Minus the weighted sum of what the interval cost, in lost seconds, over all nodes; `info` has the terms:

    | info                | lost seconds                                               | default | card |
    |---------------------|------------------------------------------------------------|---------|------|
    | cost_refault_io_s   | thread time waiting for refaulted pages                    | 1       | 1    |
    | cost_kswapd_cpu_s   | CPU time of kswapd                                         | 1       | 1    |
    | cost_stall_s        | thread time in, or kept waiting by, direct reclaim         | 1       | 0    |
    | cost_oom_s          | 30 s for each OOM kill                                     | 1       | 1    |
    | cost_atomic_s       | 0.5 s for each failed atomic burst                         | 1       | 0    |

    Under `card` never resetting is optimal in `incident` and `dead_kswapd`: a dead kswapd moves its work to
    direct reclaim, which `card` does not charge. In a third of the families another rule is cheaper, mostly
    by what is read back. `reward` also takes a dictionary with a weight for every term.

    ## Start
    The scenario's state at time 0 with `kswapd_failures` 0, or 16 where the scenario says hopeless. The seed
    and the number of the episode fix all that is random; `reset()` without a seed begins the next episode
    of the same seed.

    ## End
    After `episode_s` seconds, by truncation. Nothing terminates an episode: a task killed for lack of
    memory restarts after the scenario's delay, and the kill is charged.

    ## Info
    Flat and numeric: `time_s`, the cost terms of the interval, and the counters of /proc/vmstat, of all nodes
    together and cumulative since the episode began (`pgscan_kswapd`, `workingset_refault_file`, ...), with
    `progress_`, `resets_` and `revivals_` by reason, and the seconds `hopeless_s`, `false_dead_s` (hopeless
    while cold pages exceed the deficit) and `false_alive_s` (running while they do not).

    ## Scenario
    `scenario` is the id of one that comes with the package (`incident`, `dead_kswapd`), a TOML file, or a
    `Scenario`.
    `kernel` sets what else resets the count and what counts as a failure: 6.12, 6.18, 6.19, 7.0. A switch
    can be set alone: "7.0?free_path_reset=0", "7.0?demotion_reset=0&counts_boosted_runs=1".

    ## Arguments
    scenario="incident", kernel="7.0", reward="default", control_ms=100, episode_s=60, sources=False,
    privileged=False, rule=None (one evaluated in the model, as "timer?wait_s=5"; actions are then ignored).
    `gym.make_vec` takes the same, and what `ReclaimVectorEnv` adds.

    ## Versions
    v0: first version. Any change of dynamics, reward or observation makes a new one.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 10}

    def __init__(
        self,
        scenario: ScenarioArg = "incident",
        kernel: str = "7.0",
        reward: str | Mapping[str, float] = "default",
        control_ms: float = 100,
        episode_s: float = 60,
        sources: bool = False,
        privileged: bool = False,
        rule: str | None = None,
        render_mode: str | None = None,
    ):
        self.rows = ReclaimVectorEnv(
            1,
            scenario=scenario,
            kernel=kernel,
            reward=reward,
            control_ms=control_ms,
            episode_s=episode_s,
            sources=sources,
            privileged=privileged,
            rule=rule,
            autoreset_mode=AutoresetMode.DISABLED,
            copy=False,
            render_mode=render_mode,
        )
        self.metadata = {**type(self).metadata, "render_fps": self.rows.metadata["render_fps"]}
        self.render_mode = render_mode
        self.features = self.rows.features
        self.observation_space = self.rows.single_observation_space
        self.action_space = self.rows.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        observation, _ = self.rows.reset(seed=seed)
        return observation[0].copy(), self.rows.info_table.of_row(0)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        actions = None if self.rows.rule is not None else np.asarray(action)[np.newaxis]
        observation, reward, terminated, truncated, _ = self.rows.step(actions)
        info = self.rows.info_table.of_row(0)
        return observation[0].copy(), float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def fork(self) -> "ReclaimEnv":
        """A copy with the same future, given the same actions; neither touches the other."""
        other = copying.copy(self)
        other._np_random = copying.deepcopy(self._np_random)
        other.rows = self.rows.fork()
        return other

    def save(self) -> Saved:
        return self.rows.save()

    def restore(self, saved: Saved) -> None:
        self.rows.restore(saved)

    def render(self) -> Any:
        frames = self.rows.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        self.rows.close()


ReclaimEnv.__doc__ = (ReclaimEnv.__doc__ or "").replace("    {FEATURES}", indent(feature_docs(), "    "))
