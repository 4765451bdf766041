"""Names of members: read, written, refused in one line; the same machine for ever."""

import gymnasium as gym
import numpy as np
import pytest

import reclaim_env  # noqa: F401  (registers the environment)
from reclaim_env import families
from reclaim_env.families.naming import MAX_MEMBERS, MemberName
from reclaim_env.scenario import ScenarioError, load, load_all
from reclaim_env.vector import ReclaimVectorEnv

NAME = "dead_kswapd/memcg?stream_mib_per_s=200&prices=varied&split=test#7"


def test_a_name_is_read_and_written_alike():
    name = families.parse(NAME)
    assert name == MemberName("dead_kswapd", "memcg", {"stream_mib_per_s": 200.0}, "test", True, 7)
    assert families.parse(str(name)) == name


def test_two_loads_are_the_same_machine_and_another_seed_is_another():
    assert load(NAME) == load(NAME)
    assert load(NAME).device != load(NAME.replace("#7", "#8")).device


def test_a_given_number_is_the_stories_and_moves_no_other():
    free, given = load("dead_kswapd/memcg#7"), load("dead_kswapd/memcg?stream_mib_per_s=200#7")
    assert given.stream[0].mib_per_s == 200 != free.stream[0].mib_per_s
    assert given.reader == free.reader


def test_without_a_seed_every_number_is_the_middle_of_its_range():
    name = families.parse("stream_onoff/under_pressure")
    assert families.numbers_of(name)["stream_on_s"] == 4.5
    assert load("stream_onoff/under_pressure").seed is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dead_kswapd/memgc", "dead_kswapd/memcg"),
        ("dead_kswapd/memcg?streams=3", "unknown parameter streams"),
        ("dead_kswapd/memcg?stream_mib_per_s=1e9", "wanted 40..1600"),
        ("dead_kswapd/memcg?stream_mib_per_s=nan", "wanted 40..1600"),
        ("dead_kswapd/memcg?stream_mib_per_s", "found nothing"),
        ("dead_kswapd/memcg?hot_mib=20&hot_mib=30", "found a second value"),
        ("dead_kswapd/memcg?split=transfer", "one of train, validation, test"),
        ("hot_retires/anon_grows?split=train", "one of transfer"),
        ("dead_kswapd/memcg?prices=free", "one of fixed, varied"),
        ("control/asleep?works=0.5", "a whole number of 0..1"),
        ("dead_kswapd/memcg#-1", "family/name?param=value#seed"),
        ("dead_kswapd/memcg#9999999999999999999", "below 2**63"),
        ("dead_kswapd/memcg?" + "&" * 5000, "family/name?param=value#seed"),
        ("dead_kswapd/memcg?\n#1", "unknown parameter"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(name, said):
    with pytest.raises(ScenarioError) as error:
        load(name)
    assert said in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 500


def test_a_range_of_seeds_stands_for_its_members_where_several_are_taken():
    first, second = load_all(["control/asleep#4..5"])
    assert (first, second) == (load("control/asleep#4"), load("control/asleep#5"))
    with pytest.raises(ScenarioError):
        load("control/asleep#4..5")
    with pytest.raises(ScenarioError, match="1 to"):
        load_all([f"control/asleep#0..{MAX_MEMBERS}"])


def states(env, steps: int = 5) -> bytes:
    for _ in range(steps):
        env.step(np.zeros((env.num_envs, 2), np.int8))
    return env.records.tobytes()


def test_an_episode_of_a_member_is_the_same_at_every_door():
    name = "control/fruitful#3"
    alone = gym.make("Reclaim/KswapdReset-v0", scenario=name).unwrapped.rows
    many = gym.make_vec("Reclaim/KswapdReset-v0", num_envs=1, scenario=name).unwrapped
    made = ReclaimVectorEnv(1, load(name))
    seeded = ReclaimVectorEnv(1, load("control/fruitful#3"))
    for env in (alone, many, made):
        env.reset()
    seeded.reset(seed=3)
    wanted = states(seeded)
    assert states(alone) == states(many) == states(made) == wanted


def test_rows_of_one_member_have_seeds_of_their_own():
    env = ReclaimVectorEnv(5, ["control/asleep#10", "control/asleep#20"])
    env.reset()
    assert env.records["seed"].tolist() == [10, 20, 11, 21, 12]
