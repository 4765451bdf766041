"""What an agent was trained on, against what it is to be measured on."""

from collections.abc import Iterable, Sequence

from reclaim_env import families
from reclaim_env.families import frozen

from .contender import Contender


def refuse_overlap(contender: Contender, asked: Iterable[str]) -> None:
    """An agent is never measured in ranges it was trained in, nor on families frozen after it.

    asked: scenarios; those that are no members of families are nobody's ranges.
    """
    assert contender.agent is not None
    spec = contender.agent.spec
    trained, members = _members(spec.trained_on), _members(asked)
    if not trained or not members:
        return
    if spec.families_hash != frozen.stored():
        raise ValueError(
            f"agent {contender.name}: found families frozen as {spec.families_hash or 'nothing'}, "
            f"wanted {frozen.stored()}: their ranges have changed since it was trained"
        )
    seen = {_place(stem) for stem in trained}
    for stem in members:
        if _place(stem) in seen:
            family, split = _place(stem)
            raise ValueError(
                f"agent {contender.name}: found {stem}, wanted ranges it was not trained in: "
                f"it has seen the {split} ranges of {family}"
            )


def not_trained_on(contenders: Sequence[Contender], asked: Sequence[str]) -> tuple[Contender, ...]:
    """Without the agents that would be refused."""
    return tuple(one for one in contenders if not one.agent or _is_unseen(one, asked))


def _is_unseen(contender: Contender, asked: Sequence[str]) -> bool:
    try:
        refuse_overlap(contender, asked)
    except ValueError:
        return False
    return True


def _members(names: Iterable[str]) -> list[str]:
    """Of all that are names of members: without their seeds."""
    return [name.partition("#")[0] for name in names if families.is_name(name)]


def _place(stem: str) -> tuple[str, str]:
    """Family and split: variants of one family share their ranges."""
    name = families.parse(stem)
    return name.family, families.split_of(name) or ""
