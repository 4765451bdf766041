"""One boot: QEMU from its start to its end or to its deadline, with the host's own load beside it."""

import os
import selectors
import signal
import subprocess
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

MAX_LOG_BYTES = 64 * 2**20  # a guest that prints for ever ends here
END_S = 5.0  # for QEMU to leave once it was asked to
READ_BYTES = 65536
PROC_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class HostLoad:
    """What else the host did during a boot; None where it does not say."""

    load_before: float | None
    load_after: float | None
    idle_ratio: float | None  # of the CPU time of all the host's CPUs
    steal_ratio: float | None

    def as_json(self) -> dict[str, float | None]:
        return asdict(self)


@dataclass(frozen=True)
class Boot:
    log: bytes
    why_ended: str | None  # None: the guest powered off by itself
    wall_s: float
    host: HostLoad


def boot(command: list[str], deadline_s: float, until: bytes | None = None) -> Boot:
    """Ended from outside at the deadline, by too long a log, or as soon as the log holds `until`."""
    began, load, cpu = time.monotonic(), _load(), _cpu_ticks()
    process, is_interrupted = _started(command)
    try:
        if is_interrupted:
            raise KeyboardInterrupt
        log, why = _followed(process, began + deadline_s, deadline_s, until)
    finally:
        _end(process)
    return Boot(log, why, time.monotonic() - began, _host_load(load, cpu))


def _started(command: list[str]) -> tuple[subprocess.Popen[bytes], bool]:
    """QEMU, and whether a signal came while it was being started: raised there, nobody could end QEMU."""
    arrived: list[int] = []
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {
            number: signal.signal(number, lambda number, _: arrived.append(number))
            for number in (signal.SIGINT, signal.SIGTERM)
            if callable(signal.getsignal(number))
        }
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours: we end QEMU, and keep what is finished
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return process, bool(arrived)


def _followed(
    process: subprocess.Popen[bytes], end_s: float, deadline_s: float, until: bytes | None
) -> tuple[bytes, str | None]:
    assert process.stdout is not None
    log = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(end_s - time.monotonic(), 0)):
                return bytes(log), f"no end after {deadline_s:.0f} s"
            content = _read(process.stdout)
            log += content
            if until is not None and until in log:
                return bytes(log), None
            if not content:
                return bytes(log), _status(process)
            if len(log) > MAX_LOG_BYTES:
                return bytes(log), f"more than {MAX_LOG_BYTES} bytes on the console"


def _read(pipe: IO[bytes]) -> bytes:
    return os.read(pipe.fileno(), READ_BYTES)


def _status(process: subprocess.Popen[bytes]) -> str | None:
    code = process.wait(END_S)
    return None if code == 0 else f"QEMU ended with {code}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asked once, then killed: no QEMU outlives its boot."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _load() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _cpu_ticks() -> list[int] | None:
    """user nice system idle iowait irq softirq steal of all CPUs together."""
    try:
        return [int(word) for word in PROC_STAT.read_text().splitlines()[0].split()[1:9]]
    except (OSError, ValueError, IndexError):
        return None


def _host_load(load_before: float | None, before: list[int] | None) -> HostLoad:
    after = _cpu_ticks()
    if before is None or after is None or sum(after) <= sum(before):
        return HostLoad(load_before, _load(), None, None)
    spent = [b - a for a, b in zip(before, after, strict=True)]
    total, idle, steal = sum(spent), spent[3] + spent[4], spent[7]
    return HostLoad(load_before, _load(), idle / total, steal / total)
