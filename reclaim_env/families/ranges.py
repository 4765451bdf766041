"""What a family may draw: its TOML file, read and checked; and how the splits share out its ranges."""

from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from reclaim_env.families.naming import MemberName
from reclaim_env.scenario.fields import Slug, Table, Text, text, wrong
from reclaim_env.scenario.file import parse_toml, suggestion, translate

SPLITS = ("train", "validation", "test", "transfer")
Share = Annotated[float, Field(ge=0, le=1)]
Band = Annotated[tuple[Share, Share], Field(strict=False)]
Interval = Annotated[tuple[float, float], Field(strict=False)]


class Parameter(Table):
    """A number a story needs. A price has a usual value, and is drawn only where prices vary."""

    meaning: Text = text("what it is")
    low: float = Field(description="lowest value")
    high: float = Field(description="highest value")
    scale: Literal["linear", "log", "whole"] = Field("linear", description="uniform in what")
    usual: float | None = Field(None, description="of a price: the value while prices are fixed")

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.low > self.high:
            raise wrong("low", self.low, f"at most high = {self.high}")
        if self.scale == "log" and self.low <= 0:
            raise wrong("low", self.low, "a number above 0, as the scale is log")
        if self.usual is not None and not self.low <= self.usual <= self.high:
            raise wrong("usual", self.usual, f"{self.low}..{self.high}")
        return self

    def at(self, share: float) -> float:
        """The value with `share` (0..1) of the range below it."""
        if self.scale == "log":
            return self.low * (self.high / self.low) ** share
        if self.scale == "whole":
            return float(min(self.low + int(share * (self.high - self.low + 1)), self.high))
        return self.low + share * (self.high - self.low)

    def share_below(self, value: float) -> float:
        """The middle of the shares that at() takes to this value."""
        from math import log

        if self.low == self.high:
            return 0.5
        if self.scale == "log":
            return log(value / self.low) / log(self.high / self.low)
        if self.scale == "whole":
            return (value - self.low + 0.5) / (self.high - self.low + 1)
        return (value - self.low) / (self.high - self.low)


class Variant(Table):
    """One story of a family: some numbers given, some drawn from a part of their range."""

    story: Text = text("what happens")
    right: Text = text("what is right to do")
    transfer: bool = text("no training set contains it", False)
    given: dict[str, float] = Field(default_factory=dict, description="parameter -> its value")
    within: dict[str, Interval] = Field(default_factory=dict, description="parameter -> low, high")


class Family(Table):
    """A TOML file of families/."""

    source: Text = text("where the story comes from")
    uses: tuple[Slug, ...] = Field((), strict=False, description="groups of shared.toml")
    cut: Slug = text("the parameter whose range the splits share out")
    parameter: dict[Slug, Parameter] = Field(description="name -> what is drawn")
    variant: dict[Slug, Variant] = Field(description="name -> one story", min_length=1)

    @model_validator(mode="after")
    def _variants_speak_of_parameters(self) -> Self:
        for name, variant in self.variant.items():
            for key, values in (
                *((key, (value, value)) for key, value in variant.given.items()),
                *variant.within.items(),
            ):
                whole = self.parameter.get(key)
                if whole is None:
                    raise wrong(f"variant.{name}.{key}", key, suggestion(key, tuple(self.parameter)))
                if not whole.low <= values[0] <= values[1] <= whole.high:
                    raise wrong(f"variant.{name}.{key}", list(values), f"{whole.low}..{whole.high}")
            if self.cut in variant.given:
                raise wrong(f"variant.{name}.given", self.cut, "a range: the splits share it out")
        if self.cut not in self.parameter:
            raise wrong("cut", self.cut, suggestion(self.cut, tuple(self.parameter)))
        return self

    def splits(self, variant: str) -> tuple[str, ...]:
        """The first one is meant where none is named."""
        return SPLITS[3:] if self.variant[variant].transfer else SPLITS[:3]

    def parameters(self, variant: str) -> dict[str, Parameter]:
        """With the ranges of a variant."""
        own = self.variant[variant]
        narrowed = {key: (value, value) for key, value in own.given.items()} | own.within
        return {
            name: one.model_copy(update={"low": narrowed[name][0], "high": narrowed[name][1], "usual": None})
            if name in narrowed
            else one
            for name, one in self.parameter.items()
        }


class Splits(Table):
    """splits.toml: which shares of the cut parameter's range belong to which split."""

    train: Annotated[tuple[Band, ...], Field(strict=False)]
    validation: Annotated[tuple[Band, ...], Field(strict=False)]
    test: Annotated[tuple[Band, ...], Field(strict=False)]

    def bands(self, split: str) -> tuple[Band, ...]:
        return ((0.0, 1.0),) if split == "transfer" else getattr(self, split)


@cache
def families() -> MappingProxyType[str, Family]:
    """Every family by name; the groups of parameters it uses, and the prices, are among its own."""
    shared, found = _tables("shared"), {}
    for file in sorted(_folder().iterdir(), key=lambda file: file.name):
        name, _, kind = file.name.rpartition(".")
        if kind == "toml" and name not in ("shared", "splits"):
            data = _tables(name)
            groups = [shared[group] for group in ("prices", *data.get("uses", ()))]
            own = data.get("parameter", {})
            data["parameter"] = {key: one for group in (*groups, own) for key, one in group.items()}
            found[name] = _checked(Family, data, file.name)
    return MappingProxyType(found)


@cache
def splits() -> Splits:
    return _checked(Splits, _tables("splits"), "splits.toml")


def ids() -> tuple[str, ...]:
    """`family/name` of every variant."""
    return tuple(f"{name}/{variant}" for name, family in families().items() for variant in family.variant)


def variant(name_id: str) -> Variant:
    family, _, name = name_id.partition("/")
    return families()[family].variant[name]


def split_of(name: MemberName) -> str | None:
    """Whose ranges a member lies in; None: the cut parameter was given a value of no split."""
    family = families()[name.family]
    known = family.splits(name.variant)
    if len(known) == 1 or family.cut not in name.given:
        return name.split or known[0]
    share = family.parameters(name.variant)[family.cut].share_below(name.given[family.cut])
    inside = (split for split in known if any(a <= share <= b for a, b in splits().bands(split)))
    return next(inside, None)


def _folder():
    return resources.files("reclaim_env") / "families"


def _tables(name: str) -> dict:
    file = f"{name}.toml"
    return parse_toml((_folder() / file).read_text("utf-8"), file)


def _checked(model, data: dict, file: str):
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise translate(error, file, data, model) from None
