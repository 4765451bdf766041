"""What releases changed about kswapd_failures besides the reset rule: `7.0`, or `7.0?free_path_reset=0`."""

from typing import NamedTuple


class Preset(NamedTuple):
    """Every writer of kswapd_failures but the reset rule."""

    free_path_reset: bool  # free memory that climbs above high clears a hopeless node's count
    demotion_reset: bool  # demotion switched on clears the count of every node
    counts_boosted_runs: bool  # a fruitless run that began with a watermark boost is a failure


KERNELS = {
    "6.12": Preset(free_path_reset=False, demotion_reset=False, counts_boosted_runs=True),
    "6.18": Preset(free_path_reset=True, demotion_reset=True, counts_boosted_runs=True),
    "6.19": Preset(free_path_reset=True, demotion_reset=True, counts_boosted_runs=False),
    "7.0": Preset(free_path_reset=True, demotion_reset=True, counts_boosted_runs=False),
}


def preset(kernel: str, where: str = "kernel") -> Preset:
    """Of a release, with the switches that follow a question mark. A ValueError begins with `where`."""
    if not isinstance(kernel, str):
        raise ValueError(f"{where}: found {kernel!r}, wanted text, as '7.0'")
    name, _, settings = kernel.partition("?")
    if name not in KERNELS:
        raise ValueError(f"{where}: found {name!r}, wanted one of {', '.join(KERNELS)}")
    switches: dict[str, bool] = {}
    for setting in settings.split("&") if settings else ():
        switch, _, value = setting.partition("=")
        if switch not in Preset._fields:
            raise ValueError(f"{where}: found switch {switch!r}, wanted one of {', '.join(Preset._fields)}")
        if switch in switches:
            raise ValueError(f"{where}: found {switch} twice, wanted it once")
        if value not in ("0", "1"):
            raise ValueError(f"{where}: {switch}: found {value!r}, wanted 0 or 1")
        switches[switch] = value == "1"
    return KERNELS[name]._replace(**switches)


def release(kernel: str) -> tuple[int, ...]:
    """(7, 0) of `7.0` with whatever switches."""
    return tuple(int(part) for part in kernel.partition("?")[0].split("."))
