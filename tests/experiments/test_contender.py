"""Who takes part where nobody is named."""

from agents import pretrained
from experiments.contender import contenders


def test_shipped_agents_take_part_only_where_the_kernel_shows_what_they_were_trained_on():
    shown, hidden = (
        [one for one in contenders((), (), kernel) if one.agent is not None] for kernel in ("7.0", "6.12")
    )
    assert len(shown) == len(pretrained.files()) > 0 and hidden == []
