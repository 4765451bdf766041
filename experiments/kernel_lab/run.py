"""A series of boots: every scenario under every rule, repeat by repeat, each recorded as it ends."""

import contextlib
import gzip
import hashlib
import json
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reclaim_env.reset_rules import KERNEL_RULES, ResetRule
from reclaim_env.scenario import Scenario

from .. import files
from ..identity import commit, machine, versions
from ..run_folder import RunFolder
from ..wording import visible
from . import build, change, console, disk, guest, qemu, translate
from .boot import Boot, boot
from .boot_ledger import KIND, BootLedger, BootRecord
from .refusals import refuse

# One build of 6.12; what 6.18 adds to the writers of kswapd_failures is a switch of it.
KERNELS = {"6.12": False, "6.18": True}
MAIN_RULES = ("always", "balanced", "no_memcg", "global_direct")
CPUS_PER_NODE = 1
MEMINFO = Path("/proc/meminfo")
QEMU_MIB = 512  # of its own, beside the guest's memory
BOOT_AND_FILL_S, WALL_PER_GUEST_S = 120.0, 3.0  # emulated time runs late on a busy host

Progress = Callable[[str, int], None]  # what is under way, boots done since the last call


@dataclass(frozen=True)
class Request:
    scenarios: tuple[Scenario, ...]
    rules: tuple[ResetRule, ...]
    repeats: int
    kernel: str
    accelerator: str  # kvm or tcg
    command: str

    @property
    def nr_boots(self) -> int:
        return len(self.scenarios) * len(self.rules) * self.repeats


@dataclass(frozen=True)
class Planned:
    """One boot, and everything its result depends on."""

    scenario: Scenario
    rule: ResetRule
    repeat: int
    kernel: str
    accelerator: str

    @property
    def program(self) -> str:
        switches = change.rule_number(self.rule), self.repeat, KERNELS[self.kernel]
        return translate.program(self.scenario, translate.Request(*switches))

    def facts(self) -> dict[str, object]:
        """What goes into the key: stored, so that a record explains itself."""
        return {
            "scenario": self.scenario.model_dump(mode="json"),
            "rule": change.rule_facts(self.rule),
            "repeat": self.repeat,
            "free_path_reset": KERNELS[self.kernel],
            "program_sha256": hashlib.sha256(self.program.encode()).hexdigest(),
            "node_mib": list(translate.node_memory_mib(self.scenario)),
            "cpus_per_node": CPUS_PER_NODE,
            "build": build.manifest()["inputs"],
            "guest": guest.fingerprint(),
            "accelerator": self.accelerator,
        }

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()[:32]

    @property
    def words(self) -> str:
        return f"{self.scenario.name}, kernel {self.kernel}, {self.rule.name}, repeat {self.repeat}"

    @property
    def log_name(self) -> str:
        return f"{self.scenario.name}-{self.kernel}-{self.rule.name}-{self.repeat}-{self.key[:6]}.log.gz"


def plan(request: Request) -> Iterator[Planned]:
    """Repeats outermost: a series that is cut short has told as much of every rule."""
    for repeat in range(1, request.repeats + 1):
        for scenario in request.scenarios:
            for rule in request.rules:
                yield Planned(scenario, rule, repeat, request.kernel, request.accelerator)


def check(scenarios: Sequence[Scenario], kernel: str) -> None:
    """Everything a boot will need, refused here and not when its turn comes."""
    if kernel not in KERNELS:
        raise ValueError(f"--kernel: found {kernel!r}, wanted one of {', '.join(KERNELS)}")
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--scenario: found {name} {names.count(name)} times, wanted names that differ")
    for scenario in scenarios:
        refuse(scenario)
        _check_memory(scenario)
    qemu.find()
    build.image()
    guest.init()


def open_folder(out: Path | None, resume: bool) -> RunFolder:
    """A folder with boots in it is gone on with only if that was asked for."""
    if resume and out is None:
        raise ValueError("--resume: found no --out, wanted the run folder to go on with")
    folder = RunFolder.open(out, KIND)
    with BootLedger(folder.ledger) as ledger:
        nr_boots = len(ledger.boots())
    if nr_boots and not resume:
        raise ValueError(
            f"--out: {visible(str(out))}: found {nr_boots} boots, wanted a new folder, or --resume to go on"
        )
    return folder


def rules_of(names: Sequence[str]) -> tuple[ResetRule, ...]:
    """Those the lab's kernel can run: masks over who made progress, and nothing else."""
    strange = [name for name in names if name not in KERNEL_RULES]
    if strange:
        wanted = f"one of {', '.join(KERNEL_RULES)}: the rules the lab's kernel runs"
        raise ValueError(f"--rule: found {strange[0]!r}, wanted {wanted}")
    return tuple(KERNEL_RULES[name] for name in dict.fromkeys(names))


def run(request: Request, folder: RunFolder, progress: Progress) -> None:
    """What the folder has already, failed boots included, is not made again."""
    started = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    _note(request, folder, "running", started)
    try:
        with _interruptible(), BootLedger(folder.ledger) as ledger:
            for planned in plan(request):
                if planned.key not in ledger:  # asked anew: another series may fill the folder too
                    progress(planned.words, 0)
                    ledger.add(_made(planned, folder))
                progress(planned.words, 1)
    except BaseException:
        _note(request, folder, "interrupted", started)
        raise
    _note(request, folder, "complete", started)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends a series as Ctrl-C does, and both do where a shell had them ignored: no QEMU is left."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def deadline_s(scenario: Scenario) -> float:
    return BOOT_AND_FILL_S + WALL_PER_GUEST_S * scenario.duration_s


def _made(planned: Planned, folder: RunFolder) -> BootRecord:
    began = datetime.now(UTC)
    ended = _booted(planned)
    log = Path("logs") / planned.log_name
    files.write_bytes(folder.path / log, gzip.compress(ended.log, mtime=0))
    facts = {
        **planned.facts(),
        "program": planned.program,
        "started_utc": f"{began:%Y-%m-%dT%H:%M:%SZ}",
        "wall_s": round(ended.wall_s, 3),
        "host": ended.host.as_json(),
    }
    name, why = planned.scenario.name, _why_failed(ended)
    return BootRecord(
        planned.key, name, planned.rule.name, planned.kernel, planned.repeat, why, str(log), facts
    )


def _booted(planned: Planned) -> Boot:
    device = planned.scenario.device
    machine = qemu.Machine(
        translate.node_memory_mib(planned.scenario),
        CPUS_PER_NODE,
        qemu.Disk(
            disk.image(translate.disk_layout(planned.scenario)),
            iops_per_s=max(round(device.iops_per_s), 1),
            bytes_per_s=max(round(device.bandwidth_mib_per_s * 2**20), 1),
        ),
    )
    with tempfile.TemporaryDirectory() as scratch:
        initrd = Path(scratch) / "initrd"
        initrd.write_bytes(guest.initrd(planned.program))
        command = qemu.command(machine, build.image(), initrd, planned.accelerator)
        return boot(command, deadline_s(planned.scenario))


def _why_failed(ended: Boot) -> str | None:
    incomplete = console.parse(ended.log).why_incomplete
    if incomplete is None:
        return None
    return f"{ended.why_ended}: {incomplete}" if ended.why_ended else incomplete


def _check_memory(scenario: Scenario) -> None:
    """A guest that pages on the host measures the host."""
    wanted_mib = sum(translate.node_memory_mib(scenario)) + QEMU_MIB
    available_mib = _available_mib()
    if available_mib is not None and wanted_mib > available_mib:
        raise ValueError(
            f"{scenario.name}: found {available_mib:.0f} MiB available on this host, wanted {wanted_mib} MiB"
        )


def _available_mib() -> float | None:
    try:
        fields = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        return int(fields["MemAvailable"].split()[0]) / 1024
    except (OSError, KeyError, ValueError):
        return None


def _note(request: Request, folder: RunFolder, status: str, started: str) -> None:
    folder.write_manifest(
        {
            "kind": KIND,
            "status": status,
            "command": request.command,
            "commit": commit(),
            "versions": versions(),
            "machine": machine(),
            "kernel": request.kernel,
            "free_path_reset": KERNELS[request.kernel],
            "build": build.manifest(),
            "guest": guest.fingerprint(),
            "accelerator": request.accelerator,
            "scenarios": [scenario.model_dump(mode="json") for scenario in request.scenarios],
            "not_enforced": {one.name: list(translate.not_enforced(one)) for one in request.scenarios},
            "contenders": {rule.name: change.rule_facts(rule) for rule in request.rules},
            "repeats": request.repeats,
            "started_utc": started,
        }
    )
