"""What every user of a gymnasium environment may rely on."""

import copy as copying
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from rich.text import Text

import reclaim_env
from reclaim_env.info import INFO_NAMES
from reclaim_env.vector import ReclaimVectorEnv
from tests.toys import lively

ID = reclaim_env.ENV_ID
EPISODE_S = 2.0
STEPS = 20  # of an episode


def rows(num_envs: int = 3, **arguments) -> ReclaimVectorEnv:
    return ReclaimVectorEnv(num_envs, **{"scenario": lively(), "episode_s": EPISODE_S, **arguments})


def actions(steps: int, num_envs: int, bits: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, (steps, num_envs, bits), dtype=np.int8)


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("sources", [False, True])
def test_gymnasiums_checker_finds_nothing_to_warn_of(sources):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(ID, scenario=lively(), sources=sources).unwrapped)


@pytest.mark.parametrize("sources", [False, True])
def test_stable_baselines3s_checker_finds_nothing_to_warn_of(sources):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(gym.make(ID, scenario=lively(), sources=sources).unwrapped)


def test_make_vec_makes_the_native_env_with_the_same_arguments():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs = gym.make_vec(
            ID, num_envs=3, scenario=[lively(), lively("other")], kernel="6.12", control_ms=50
        )
    assert isinstance(envs, ReclaimVectorEnv)
    assert [envs.scenarios[which].name for which in envs.scenario_of_row] == ["lively", "other", "lively"]
    assert envs.metadata["render_fps"] == 20


def test_a_registration_may_end_episodes_earlier():
    """gymnasium.make wraps the scalar env for it, make_vec leaves it to the native one."""
    envs = gym.make_vec(ID, num_envs=2, scenario=lively(), episode_s=EPISODE_S, max_episode_steps=7)
    envs.reset(seed=0)
    truncated = [envs.step(np.zeros((2, 2), np.int8))[3].tolist() for _ in range(7)]
    assert truncated == [[False, False]] * 6 + [[True, True]]
    assert gym.make_vec(ID, scenario=lively(), episode_s=1, max_episode_steps=99).unwrapped.steps_left == 10
    with pytest.raises(ValueError, match="max_episode_steps: found 0, wanted a positive multiple"):
        gym.make_vec(ID, scenario=lively(), max_episode_steps=0)


def test_the_id_works_from_a_clean_shell_and_needs_no_torch():
    make = "import gymnasium, sys; gymnasium.make('reclaim_env:Reclaim/KswapdReset-v0', scenario='incident')"
    unwanted = "print({'torch', 'stable_baselines3', 'matplotlib'} & set(sys.modules))"
    command = [sys.executable, "-c", f"{make}; {unwanted}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.stdout.strip() == "set()", done.stderr


def test_the_scalar_env_is_any_row_of_any_batch_bit_for_bit():
    chosen = actions(2 * STEPS, 5)
    batch = rows(5)
    batch_observation, _ = batch.reset(seed=[3, 11, 7, 0, 7])
    alone = gym.make(ID, scenario=lively(), episode_s=EPISODE_S).unwrapped
    row = 2
    observation, _ = alone.reset(seed=7)
    assert np.array_equal(observation, batch_observation[row])
    for step in range(STEPS):
        seen, rewards, _, truncated, info = batch.step(chosen[step])
        observation, reward, terminated, cut, own_info = alone.step(chosen[step, row])
        assert np.array_equal(observation, seen[row])
        assert (reward, terminated, cut) == (rewards[row], False, truncated[row])
        assert all(own_info[name] == info[name][row] for name in INFO_NAMES)
    assert cut
    assert alone.rows.records[0].tobytes() == batch.records[row].tobytes()


def test_a_rows_future_depends_on_its_seed_and_not_on_its_place():
    chosen = np.broadcast_to(actions(STEPS, 1), (STEPS, 4, 2))
    batch = rows(4)
    batch.reset(seed=[5, 9, 5, 9])
    for step in range(STEPS):
        batch.step(chosen[step])
    records = [record.tobytes() for record in batch.records]
    assert records[0] == records[2] and records[1] == records[3] and records[0] != records[1]


def test_an_integer_seed_counts_up_over_the_rows():
    counted, listed = rows(), rows()
    counted.reset(seed=40)
    listed.reset(seed=[40, 41, 42])
    assert counted.records.tobytes() == listed.records.tobytes()


def test_without_a_seed_a_row_goes_on_to_its_next_episode():
    env = rows()
    env.reset(seed=8)
    env.reset()
    assert env.records["seed"].tolist() == [8, 9, 10]
    assert env.records["episode"].tolist() == [1, 1, 1]
    env.reset(seed=[8, None, 8])
    assert env.records["episode"].tolist() == [0, 2, 0]


def test_without_any_seed_rows_are_drawn_apart():
    first, second = rows(), rows()
    first.reset()
    second.reset()
    assert len({*first.records["seed"].tolist(), *second.records["seed"].tolist()}) == 6


@pytest.mark.parametrize(("num_envs", "threads"), [(5, 2), (5, 3), (5, 7), (300, 2)])
def test_threads_change_nothing(num_envs, threads):
    chosen = actions(STEPS + 3, num_envs)
    one, many = rows(num_envs), rows(num_envs, threads=threads)
    one.reset(seed=1)
    many.reset(seed=1)
    for action in chosen:
        expected, found = one.step(action), many.step(action)
        assert np.array_equal(expected[0], found[0]) and np.array_equal(expected[1], found[1])
        assert same(expected[4], found[4])
    assert one.records.tobytes() == many.records.tobytes()
    many.close()


# The three autoreset modes. Rows of one episode length end together, so one is reset early to be out of step.


def out_of_step(mode: AutoresetMode) -> ReclaimVectorEnv:
    """Row 1 is half an episode behind the others."""
    env = rows(autoreset_mode=mode)
    env.reset(seed=5)
    for action in actions(STEPS // 2, 3, seed=1):
        env.step(action)
    env.reset(seed=77, options={"reset_mask": np.array([False, True, False])})
    return env


def rows_alone(seed: int, episode: int) -> ReclaimVectorEnv:
    env = rows(1, autoreset_mode=AutoresetMode.DISABLED)
    env.reset(seed=seed)
    for _ in range(episode):
        env.reset()
    return env


def test_next_step_restarts_an_ended_row_in_the_step_after():
    env = out_of_step(AutoresetMode.NEXT_STEP)
    chosen = actions(STEPS, 3, seed=2)
    for action in chosen[: STEPS // 2]:
        observation, _, _, truncated, _ = env.step(action)
    assert truncated.tolist() == [True, False, True]
    assert env.records["tick"].tolist()[0] == 200
    observation, rewards, terminated, truncated, info = env.step(chosen[STEPS // 2])
    assert not truncated.any() and not terminated.any()
    assert rewards[0] == 0.0 and rewards[2] == 0.0
    assert env.records["episode"].tolist() == [1, 0, 1]
    assert info["time_s"].tolist() == pytest.approx([0.0, 1.1, 0.0])
    assert np.array_equal(observation[0], rows_alone(5, 0).reset()[0][0])
    assert "final_obs" not in info


def test_same_step_shows_the_last_observation_and_the_next_episodes_first():
    env, cut = out_of_step(AutoresetMode.SAME_STEP), out_of_step(AutoresetMode.DISABLED)
    for action in actions(STEPS // 2, 3, seed=2):
        observation, rewards, _, truncated, info = env.step(action)
        last, last_rewards, _, _, last_info = cut.step(action)
    assert truncated.tolist() == [True, False, True]
    assert np.array_equal(rewards, last_rewards)
    assert np.array_equal(env.last_reward, rewards) and np.array_equal(env.node_lost_s, cut.node_lost_s)
    assert info["_final_obs"].tolist() == info["_final_info"].tolist() == [True, False, True]
    assert info["final_obs"][1] is None
    for row in (0, 2):
        assert np.array_equal(info["final_obs"][row], last[row])
        assert np.array_equal(observation[row], rows_alone(5 + row, 0).reset()[0][0])
    for name in INFO_NAMES:
        assert info["final_info"][name].tolist() == [last_info[name][0], 0, last_info[name][2]], name
        assert info["final_info"][f"_{name}"].tolist() == [True, False, True]
        assert info[f"_{name}"].all()
    assert np.array_equal(observation[1], last[1])
    assert info["time_s"].tolist() == pytest.approx([0.0, 1.0, 0.0])


def test_disabled_waits_for_a_reset_of_the_ended_rows():
    env = out_of_step(AutoresetMode.DISABLED)
    for action in actions(STEPS // 2, 3, seed=2):
        before, _, _, truncated, _ = env.step(action)
    with pytest.raises(ResetNeeded, match="row 0, 2"):
        env.step(action)
    observation, info = env.reset(options={"reset_mask": truncated})
    assert np.array_equal(observation[1], before[1])
    assert info["_pgfree"].tolist() == [True, False, True]
    assert env.records["episode"].tolist() == [1, 0, 1]
    assert not env.step(action)[3].any()


@pytest.mark.parametrize(
    "mask", [[True, False, True], np.ones(2, bool), np.ones(3, np.int8), np.zeros(3, bool)]
)
def test_a_wrong_reset_mask_is_refused(mask):
    env = rows()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"reset_mask: found .* wanted"):
        env.reset(options={"reset_mask": mask})


def test_the_mode_is_declared():
    for mode in AutoresetMode:
        assert rows(autoreset_mode=mode).metadata["autoreset_mode"] is mode
        assert rows(autoreset_mode=mode.value).metadata["autoreset_mode"] is mode
    assert ReclaimVectorEnv.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


# Copies


def test_a_fork_shares_the_future_and_never_touches_its_parent():
    chosen = actions(STEPS + 5, 3, seed=3)
    env = rows()
    env.reset(seed=2)
    for action in chosen[:5]:
        env.step(action)
    fork = env.fork()
    held = env.records.tobytes()
    futures = [fork.step(action) for action in chosen[5:]]
    assert env.records.tobytes() == held
    for future, action in zip(futures, chosen[5:], strict=True):
        found = env.step(action)
        assert all(np.array_equal(one, other) for one, other in zip(future[:4], found[:4], strict=True))
        assert same(future[4], found[4])
    assert env.records.tobytes() == fork.records.tobytes()


def test_what_was_saved_can_be_gone_back_to_more_than_once():
    chosen = actions(8, 3, seed=4)
    env = rows()
    env.reset(seed=2)
    for action in chosen[:4]:
        env.step(action)
    saved = env.save()
    first = [env.step(action)[0] for action in chosen[4:]]
    for _ in range(2):
        env.restore(saved)
        assert all(np.array_equal(env.step(a)[0], o) for a, o in zip(chosen[4:], first, strict=True))
    with pytest.raises(ValueError, match="saved: found"):
        rows(2).restore(saved)


def test_a_copy_shows_what_the_last_interval_cost():
    env = rows()
    env.reset(seed=2)
    for action in actions(5, 3, seed=4):
        env.step(action)
    saved, fork = env.save(), env.fork()
    reward, node_lost_s = env.last_reward.copy(), env.node_lost_s.copy()
    assert np.any(reward)
    env.step(actions(1, 3, seed=5)[0])
    assert not np.array_equal(env.last_reward, reward)
    env.restore(saved)
    for copied in (fork, env):
        assert np.array_equal(copied.last_reward, reward)
        assert np.array_equal(copied.node_lost_s, node_lost_s)


def test_the_scalar_env_forks_and_restores_too():
    env = gym.make(ID, scenario=lively()).unwrapped
    env.reset(seed=1)
    fork, saved = env.fork(), env.save()
    expected = env.step([1, 0])
    assert np.array_equal(fork.step([1, 0])[0], expected[0])
    env.restore(saved)
    assert np.array_equal(env.step([1, 0])[0], expected[0])


# Arguments and mistakes


def test_copy_false_returns_one_array_again_and_again():
    env = rows(copy=False)
    first, _ = env.reset(seed=0)
    assert env.step(env.action_space.sample())[0] is first
    kept = rows()
    first, _ = kept.reset(seed=0)
    assert not np.shares_memory(kept.step(kept.action_space.sample())[0], first)


@pytest.mark.parametrize("mode", AutoresetMode)
def test_copy_false_says_the_same_in_arrays_that_the_next_step_changes(mode):
    env, kept = (rows(copy=copy, autoreset_mode=mode) for copy in (False, True))
    assert same(env.reset(seed=0)[1], kept.reset(seed=0)[1])
    infos = []
    for action in actions(STEPS - 1, 3):
        infos.append((env.step(action)[4], kept.step(action)[4]))
        assert same(*infos[-1])
        infos[-1][0]["of the caller"] = 1
    (first, first_kept), (second, second_kept) = infos[:2]
    assert first["time_s"] is second["time_s"]
    assert first_kept["time_s"].tolist() == [0.1] * 3 and second_kept["time_s"].tolist() == [0.2] * 3


def test_a_deep_copy_shows_its_own_machine():
    env = rows(copy=False)
    env.reset(seed=0)
    env.step(actions(1, 3)[0])
    other = copying.deepcopy(env)
    action = actions(1, 3, seed=1)[0]
    assert same(other.step(action)[4], env.step(action)[4])


def test_only_the_clock_ends_an_episode():
    env = rows(episode_s=0.5)
    env.reset(seed=0)
    ends = [env.step(action)[2:4] for action in actions(5, 3)]
    assert not any(terminated.any() for terminated, _ in ends)
    assert [truncated.all() for _, truncated in ends] == [False] * 4 + [True]


def test_a_rule_ignores_actions():
    one, other = rows(rule="balanced"), rows(rule="balanced")
    one.reset(seed=0)
    other.reset(seed=0)
    for action in actions(STEPS, 3):
        one.step(action)
        other.step(None)
    assert one.records.tobytes() == other.records.tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scenario": []}, "empty list"),
        ({"scenario": 5}, "scenario: found 5, wanted an id"),
        ({"scenario": "incidnet"}, "incident"),
        ({"kernel": 7.0}, "kernel: found 7.0, wanted text"),
        ({"kernel": "5.15"}, "kernel: found '5.15', wanted one of 6.12"),
        ({"kernel": "latest"}, "kernel: found 'latest', wanted one of 6.12"),
        ({"reward": "card2"}, "reward: found 'card2', wanted one of default, card"),
        ({"reward": {"oom": 1.0}}, "wanted refault_io"),
        ({"rule": "balance"}, "did you mean balanced"),
        ({"control_ms": 15}, "multiple of tick_ms"),
        ({"control_ms": 0}, "multiple of tick_ms"),
        ({"episode_s": np.inf}, "multiple of control_ms"),
        ({"episode_s": 0.25}, "multiple of control_ms"),
        ({"episode_s": -1}, "episode_s: found -1, wanted"),
        ({"episode_s": "60"}, "episode_s: found '60', wanted a number"),
        ({"render_mode": "human"}, "render_mode: found 'human', wanted ansi or rgb_array"),
        ({"num_envs": 0}, "found num_envs 0"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_was_wanted(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        ReclaimVectorEnv(**{"num_envs": 2, "scenario": lively(), **arguments})
    assert "\n" not in str(error.value)


def test_scenarios_of_different_shape_do_not_share_a_batch():
    smaller = lively().model_copy(update={"node": lively().node[:1]})
    with pytest.raises(ValueError, match="found 2 nodes in lively and 1 in lively"):
        ReclaimVectorEnv(2, scenario=[lively(), smaller])


@pytest.mark.parametrize("one", [[0], [0, 1, 0], [0, 2], [0, -1], [0, np.nan]])
def test_a_wrong_action_is_refused(one):
    env = rows()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action: found"):
        env.step([one] * 3)


@pytest.mark.parametrize("seed", [1.5, "1", [1.5, 2, 3], [0, -1, 2]])
def test_a_wrong_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed: found"):
        rows().reset(seed=seed)


def test_a_step_needs_a_reset():
    with pytest.raises(ResetNeeded):
        rows().step([[0, 0]] * 3)


def test_both_pictures_can_be_drawn():
    for rule in (None, "always"):
        env = rows(1, render_mode="rgb_array", rule=rule)
        env.reset(seed=0)
        env.step([[1, 0]])
        picture = (env.render() or (None,))[0]
        assert picture is not None
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.std() > 10
        env.render_mode = "ansi"
        text = str((env.render() or ("",))[0])
        assert "node 1" in text and "kswapd" in text
        assert max(Text.from_ansi(line).cell_len for line in text.splitlines()) <= 100


def test_the_manual_page_has_every_feature_and_every_cost_term():
    manual = gym.make(ID, scenario=lively()).unwrapped.__doc__ or ""
    env = rows(privileged=True)
    assert all(f"| {feature.name} |" in manual for feature in env.features)
    assert all(name in manual for name in INFO_NAMES if name.startswith("cost_"))
    for section in ("Action", "Observation", "Reward", "Start", "End", "Scenario", "Versions"):
        assert f"## {section}" in manual


def test_a_list_longer_than_the_rows_is_dealt_out_in_the_next_episodes():
    names = [f"scenario{i}" for i in range(5)]
    envs = rows(
        2, scenario=[lively(name) for name in names], episode_s=0.2, autoreset_mode=AutoresetMode.DISABLED
    )
    dealt = []
    for episode in range(4):
        envs.reset(seed=3 if episode == 0 else None)
        dealt.append([envs.scenarios[which].name for which in envs.scenario_of_row])
    expected = [0, 1], [2, 3], [4, 0], [1, 2]
    assert dealt == [[names[i] for i in pair] for pair in expected]


def test_a_fork_keeps_the_scenario_its_parent_had():
    envs = rows(
        1, scenario=[lively("one"), lively("other")], episode_s=0.2, autoreset_mode=AutoresetMode.DISABLED
    )
    envs.reset(seed=0)
    fork = envs.fork()
    envs.reset()
    assert [env.scenarios[env.scenario_of_row[0]].name for env in (envs, fork)] == ["other", "one"]
