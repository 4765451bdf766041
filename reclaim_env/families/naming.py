"""Names of members: `family/name?param=value&param=value#seed`, read and written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike

from reclaim_env.scenario.file import ScenarioError, shortened, suggestion

MAX_SEED = 2**63
MAX_MEMBERS = 4096
MAX_NAME = 1024
SHAPE = re.compile(
    r"(?P<family>[a-z0-9_]+)/(?P<variant>[a-z0-9_]+)(\?(?P<given>[^#]*))?(#(?P<seed>[0-9]{1,19}))?"
)
MANY = re.compile(r"(?P<stem>[^#]+)#(?P<first>[0-9]{1,19})\.\.(?P<last>[0-9]{1,19})")
WANTED = "family/name?param=value#seed"


@dataclass(frozen=True)
class MemberName:
    """seed None: the middle of every range. split "": the family's first."""

    family: str
    variant: str
    given: Mapping[str, float] = field(default_factory=dict)
    split: str = ""
    prices_vary: bool = False
    seed: int | None = None

    @property
    def id(self) -> str:
        return f"{self.family}/{self.variant}"

    @property
    def stem(self) -> str:
        """Without the seed: all members that could have been drawn alike."""
        words = [f"{key}={value:.17g}" for key, value in sorted(self.given.items())]
        words += ["prices=varied"] * self.prices_vary + [f"split={self.split}"] * bool(self.split)
        return self.id + ("?" + "&".join(words) if words else "")

    def __str__(self) -> str:
        return self.stem + ("" if self.seed is None else f"#{self.seed}")


def is_name(text: str | PathLike[str]) -> bool:
    """Whether a family of ours is meant, and no file."""
    from reclaim_env.families.ranges import families

    return isinstance(text, str) and "/" in text and text.partition("/")[0] in families()


def expand(text: str | PathLike[str]) -> list[str | PathLike[str]]:
    """`name#0..63` as 64 names; every other text and every path as it is."""
    many = MANY.fullmatch(text) if isinstance(text, str) and is_name(text) else None
    if many is None:
        return [text]
    first, last = int(many["first"]), int(many["last"])
    if not 0 <= last - first < MAX_MEMBERS:
        raise ScenarioError(many["stem"], "seed", f"{first}..{last}", f"1 to {MAX_MEMBERS} seeds")
    return [f"{many['stem']}#{seed}" for seed in range(first, last + 1)]


def parse(text: str) -> MemberName:
    """A member's name; a ScenarioError says what is wrong with it."""
    from reclaim_env.families.ranges import families, ids

    match = SHAPE.fullmatch(text) if len(text) <= MAX_NAME else None
    if match is None:
        raise ScenarioError(shortened(text, 120), "", "no name of a member", WANTED)
    family, variant = match["family"], match["variant"]
    if f"{family}/{variant}" not in ids():
        raise ScenarioError(text, "", "no such family", suggestion(f"{family}/{variant}", ids()))
    name = MemberName(family, variant, seed=None if match["seed"] is None else int(match["seed"]))
    if name.seed is not None and name.seed >= MAX_SEED:
        raise ScenarioError(text, "seed", str(name.seed), "a whole number below 2**63")
    return _with_words(name, match["given"], text, families()[family])


def _with_words(name: MemberName, words: str | None, text: str, family) -> MemberName:
    given: dict[str, float] = {}
    split, prices_vary = "", False
    for word in words.split("&") if words is not None else ():
        key, _, value = word.partition("=")
        if key == "split":
            split = _one_of(text, key, value, family.splits(name.variant))
        elif key == "prices":
            prices_vary = _one_of(text, key, value, ("fixed", "varied")) == "varied"
        elif key in given:
            raise ScenarioError(text, key, "a second value", "one")
        else:
            given[key] = _number(text, key, value, family.parameter)
    return MemberName(name.family, name.variant, given, split, prices_vary, name.seed)


def _one_of(text: str, key: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ScenarioError(text, key, value or "nothing", f"one of {', '.join(known)}")
    return value


def _number(text: str, key: str, value: str, parameters: Mapping) -> float:
    if key not in parameters:
        raise ScenarioError(text, "", f"an unknown parameter {key}", suggestion(key, tuple(parameters)))
    one = parameters[key]
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not one.low <= number <= one.high or (one.scale == "whole" and number != int(number)):
        whole = "a whole number of " if one.scale == "whole" else ""
        raise ScenarioError(text, key, value or "nothing", f"{whole}{one.low:g}..{one.high:g}")
    return number
