import pytest

from reclaim_env.observation import visible_features
from reclaim_env.presets import KERNELS, Preset, preset


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("switch", Preset._fields)
@pytest.mark.parametrize("value", [False, True])
def test_a_switch_is_set_alone(kernel, switch, value):
    assert preset(f"{kernel}?{switch}={value:d}") == KERNELS[kernel]._replace(**{switch: value})


def test_several_switches_make_another_release():
    assert preset("7.0?free_path_reset=0&demotion_reset=0&counts_boosted_runs=1") == preset("6.12")


@pytest.mark.parametrize(
    ("kernel", "line"),
    [
        ("9.9", "kernel: found '9.9', wanted one of 6.12, 6.18, 6.19, 7.0"),
        ("", "kernel: found '', wanted one of 6.12"),
        ("7.0?rule=1", "kernel: found switch 'rule', wanted one of free_path_reset, demotion_reset"),
        ("7.0?free_path_reset", "kernel: free_path_reset: found '', wanted 0 or 1"),
        ("7.0?free_path_reset=2", "kernel: free_path_reset: found '2', wanted 0 or 1"),
        ("7.0?free_path_reset=1&free_path_reset=1", "kernel: found free_path_reset twice, wanted it once"),
        ("7.0?free_path_reset=1&", "kernel: found switch '', wanted one of"),
    ],
)
def test_a_wrong_name_is_one_line(kernel, line):
    with pytest.raises(ValueError, match="wanted") as error:
        preset(kernel)
    assert str(error.value).startswith(line)


def test_what_an_agent_sees_goes_by_the_release():
    assert visible_features("7.0?free_path_reset=0") == visible_features("7.0")
    assert visible_features("6.19?free_path_reset=0") != visible_features("7.0")
