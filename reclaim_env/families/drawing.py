"""From a member's name to its scenario. A draw depends on family, variant, parameter and seed alone."""

import hashlib

import numpy as np

from reclaim_env.families import stories
from reclaim_env.families.naming import MemberName, parse
from reclaim_env.families.ranges import Family, Parameter, families, splits
from reclaim_env.scenario import Scenario
from reclaim_env.scenario import parse as parse_scenario

MIDDLE = 0.5


def member(name: str | MemberName) -> Scenario:
    """The scenario of a name; ScenarioError in one line if there is none."""
    found = parse(name) if isinstance(name, str) else name
    family = families()[found.family]
    numbers = numbers_of(found)
    tables = stories.tables(found.family, numbers)
    told = family.variant[found.variant]
    tables |= {
        "name": slug(found),
        "source": f"{found}: {family.source}",
        "description": f"{told.story} What is right: {told.right}",
    }
    if found.seed is not None:
        tables["seed"] = found.seed
    return parse_scenario(tables, str(found))


def numbers_of(name: MemberName) -> dict[str, float]:
    """Every parameter of the story: given, usual or drawn."""
    family = families()[name.family]
    return {
        key: name.given[key] if key in name.given else _drawn(name, family, key, one)
        for key, one in family.parameters(name.variant).items()
    }


def _drawn(name: MemberName, family: Family, key: str, one: Parameter) -> float:
    if one.usual is not None and not name.prices_vary:
        return one.usual
    share = MIDDLE if name.seed is None else uniform(name.id, key, name.seed)
    if key == family.cut:
        share = _within(splits().bands(name.split or family.splits(name.variant)[0]), share)
    return one.at(share)


def _within(bands: tuple[tuple[float, float], ...], share: float) -> float:
    """The same share of the bands laid end to end."""
    left = share * sum(high - low for low, high in bands)
    for low, high in bands:
        if left < high - low:
            return low + left
        left -= high - low
    return bands[-1][1]


def uniform(name_id: str, key: str, seed: int) -> float:
    """In [0, 1), by Philox keyed with the seed and the parameter: one more parameter moves no other."""
    word = int.from_bytes(hashlib.sha256(f"{name_id}:{key}".encode()).digest()[:8], "little")
    return (np.random.Philox(key=seed | word << 64).random_raw() >> 11) * 2.0**-53


def slug(name: MemberName) -> str:
    """A name for tables and folders; numbers given are told by a hash."""
    words = [name.family, name.variant, name.split, "varied" if name.prices_vary else ""]
    if name.given:
        words.append(hashlib.sha256(name.stem.encode()).hexdigest()[:8])
    words.append("" if name.seed is None else str(name.seed))
    return "-".join(word for word in words if word)
