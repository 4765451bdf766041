"""Where anonymous memory can go: swap space, and how hot the pages of a process are."""

from typing import Self

from pydantic import model_validator

from reclaim_env.scenario.fields import Table, count, mib, number, seconds, text, wrong


class Swap(Table):
    """Swap space and the device it lies on, which holds nothing else: a disk, or compressed memory (zram)."""

    mib: float = mib("size of the swap space", low=1 / 256)
    on: bool = text("in use from the start; false: from an event `swapon`", True)
    latency_us: float = number("latency of reading one page from the idle device", "us", high=1e7)
    bandwidth_mib_per_s: float = number("bandwidth, reads and writes together", "MiB/s", low=0.01, high=1e7)
    iops_per_s: float = number("reads per second", "1/s", low=1, high=1e9)
    readahead_pages: int = count("pages one swap-in brings (2 to the power of vm.page-cluster)", 1, high=32)
    page_cpu_us: float = number("CPU time of storing or loading one page (compression)", "us", 0, high=1e4)
    pool_ratio: float = number("memory that a stored page keeps, of its size; 0: a disk", "ratio", 0, high=1)


class Heat(Table):
    """A part of a process's anonymous pages, touched alike."""

    share: float = number("weight of this part among the process's pages", "ratio", 1, low=1e-9)
    touch_per_s: float = number("how often each page is touched while in use", "1/s", high=1e9)
    on_s: float | None = seconds("mean time the part is in use at a stretch", None, low=1e-3)
    off_s: float | None = seconds("mean time between such stretches", None, low=1e-3)
    active_ratio: float = number("of its pages, those that begin on the active list", "ratio", 0, high=1)

    @model_validator(mode="after")
    def _on_and_off_go_together(self) -> Self:
        check_on_off(self.on_s, self.off_s)
        return self


def check_on_off(on_s: float | None, off_s: float | None) -> None:
    """Both mean times, or neither."""
    if (on_s is None) != (off_s is None):
        field, other = ("on_s", "off_s") if on_s is None else ("off_s", "on_s")
        raise wrong(field, "nothing", f"a mean time, as {other} is given")
