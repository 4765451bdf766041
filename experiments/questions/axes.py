"""A number of a scenario or family that is varied: where it goes, from where to where."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reclaim_env import families
from reclaim_env.scenario import Scenario, load

from ..wording import visible

Values = Mapping[str, float]  # axis -> value


@dataclass(frozen=True)
class Axis:
    """A parameter of a family, or a path of a scenario file such as reader.web.file.0.mib."""

    name: str
    meaning: str
    low: float
    high: float
    is_log: bool
    is_whole: bool

    def values(self, nr_points: int) -> list[float]:
        """From low to high, evenly; whole numbers once each."""
        shares = np.linspace(0, 1, nr_points)
        return list(dict.fromkeys(self.at(float(share)) for share in shares))

    def between(self, a: float, b: float) -> float:
        """The middle of two values, on this axis."""
        return self._settable(math.sqrt(a * b) if self.is_log else (a + b) / 2)

    def at(self, share: float) -> float:
        if self.is_log:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + share * (self.high - self.low)
        return min(max(self._settable(value), self.low), self.high)

    def _settable(self, value: float) -> float:
        return float(round(value)) if self.is_whole else float(f"{value:.6g}")


@dataclass(frozen=True)
class Base:
    """What is varied: a scenario by id or file, or a family by name."""

    name: str

    def axis(self, words: str) -> Axis:
        """`name`, swept over the range known for it, or `name=low..high`."""
        name, _, given = words.partition("=")
        axis = self._family_axis(name) if families.is_name(self.name) else self._scenario_axis(name, given)
        if not given:
            return axis
        low, high = _range(words, given)
        return Axis(name, axis.meaning, low, high, axis.is_log and low > 0, axis.is_whole)

    def scenario(self, values: Values) -> Scenario:
        """With these values; ScenarioError where it cannot be so."""
        if families.is_name(self.name):
            name = families.parse(self.name)
            given = {**name.given, **values}
            return families.member(
                families.MemberName(name.family, name.variant, given, name.split, name.prices_vary, name.seed)
            )
        scenario = load(self.name)
        for path, value in values.items():
            scenario = scenario.with_value(path, value)
        return scenario

    def _family_axis(self, name: str) -> Axis:
        member = families.parse(self.name)
        parameters = families.families()[member.family].parameters(member.variant)
        if name not in parameters:
            raise ValueError(f"axis: found {visible(name)!r}, wanted one of {', '.join(parameters)}")
        one = parameters[name]
        return Axis(name, one.meaning, one.low, one.high, one.scale == "log", one.scale == "whole")

    def _scenario_axis(self, path: str, given: str) -> Axis:
        scenario = load(self.name)
        value = scenario.value_at(path)
        for one in scenario.assumed:
            if one.field == path:
                return Axis(path, one.why, one.low, one.high, one.low > 0, isinstance(value, int))
        if not given:
            known = ", ".join(one.field for one in scenario.assumed) or "none"
            wanted = f"{path}=LOW..HIGH (assumed are: {known})"
            raise ValueError(f"axis: found {visible(path)!r} without a range, wanted {wanted}")
        return Axis(path, "", 0.0, 0.0, True, isinstance(value, int))


def _range(words: str, given: str) -> tuple[float, float]:
    low, dots, high = given.partition("..")
    try:
        numbers = float(low), float(high)
    except ValueError:
        numbers = math.nan, math.nan
    if not dots or not -math.inf < numbers[0] < numbers[1] < math.inf:
        raise ValueError(f"axis: found {visible(words)!r}, wanted NAME=LOW..HIGH")
    return numbers
