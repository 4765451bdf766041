"""The numbers of a rule that can be set where the rule is named: `NAME?PARAMETER=VALUE&PARAMETER=VALUE`."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A number of a rule that can be set where the rule is named."""

    name: str
    unit: str
    low: float
    high: float
    is_whole: bool
    doc: str

    def read(self, text: str, where: str) -> float:
        try:
            value = int(text) if self.is_whole else float(text)
        except ValueError:
            value = float("nan")
        if not self.low <= value <= self.high:
            kind = "whole number" if self.is_whole else "number"
            wanted = f"a {kind} of {self.unit} from {self.low:g} to {self.high:g}"
            raise ValueError(f"{where}: {self.name}: found {text!r}, wanted {wanted}")
        return value


PARAMETERS = {
    one.name: one
    for one in (
        Parameter("runs", "runs", 1, 1000, True, "fruitless runs after which kswapd gives up"),
        Parameter("step", "failures", 1, 1000, True, "a reset takes so many off the count"),
        Parameter("left", "failures", 0, 1000, True, "a reset leaves so many"),
        Parameter("refaults_per_s", "pages/s", 0, 1e9, False, "above this refault rate nothing resets"),
        Parameter("wait_s", "seconds", 0.01, 1e6, False, "time hopeless before kswapd is tried again"),
        Parameter("max_wait_s", "seconds", 0.01, 1e6, False, "the longest such time"),
        Parameter("pages", "pages", 1, 1e12, True, "allocated while hopeless before kswapd is tried again"),
    )
}


def read_settings(text: str, takes: Sequence[str], where: str) -> dict[str, float]:
    """Values by parameter, of those that are taken; a ValueError that begins with `where` for a wrong one."""
    found: dict[str, float] = {}
    for setting in text.split("&"):
        name, _, value = setting.partition("=")
        if name not in takes:
            wanted = f"one of {', '.join(takes)}" if takes else "none"
            raise ValueError(f"{where}: found parameter {name!r}, wanted {wanted}")
        if name in found:
            raise ValueError(f"{where}: found {name} twice, wanted it once")
        found[name] = PARAMETERS[name].read(value, where)
    return found
