"""A series of boots by a stand-in for QEMU: order, record, failure, interruption, going on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.kernel_lab import boot, outcome, run
from experiments.kernel_lab.boot_ledger import KIND, BootLedger, BootRecord
from experiments.run_folder import RunFolder
from reclaim_env.scenario import load
from tests.kernel_lab.lab import LOG, nr_lines, scenario, stand_in

ROOT = Path(__file__).parents[2]
SAYS = f"cat '{LOG}'"
RULES = ("always", "balanced")


def request(rules=RULES, repeats=2, kernel="6.12") -> run.Request:
    return run.Request((scenario(),), run.rules_of(rules), repeats, kernel, "tcg", "reclaim kernel run")


def made(folder: Path, **asked) -> list[BootRecord]:
    run.run(request(**asked), RunFolder.open(folder, KIND), lambda words, boots: None)
    return boots(folder)


def boots(folder: Path) -> list[BootRecord]:
    with BootLedger(RunFolder(folder).ledger) as ledger:
        return ledger.boots()


def test_repeats_are_outermost(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    order = [(boot.repeat, boot.rule) for boot in made(tmp_path / "run")]
    assert order == [(1, "always"), (1, "balanced"), (2, "always"), (2, "balanced")]


def test_a_record_explains_itself_and_keeps_its_log(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    boot = made(tmp_path / "run", rules=["always"], repeats=1)[0]
    assert boot.why_failed is None
    assert boot.facts["program"].startswith("run version=1 ")
    assert " reset_rule=31 free_path_reset=0" in boot.facts["program"]
    assert boot.facts["build"]["change"] == "c0ffee"
    assert set(boot.facts["host"]) == {"load_before", "load_after", "idle_ratio", "steal_ratio"}
    folder = RunFolder(tmp_path / "run")
    assert outcome.read_log(folder, boot).ended
    manifest = json.loads((folder.path / "manifest.json").read_text())
    assert (manifest["kind"], manifest["status"]) == ("kernel", "complete")
    assert str(tmp_path) not in (folder.path / "manifest.json").read_text()


def test_6_18_is_the_free_path_switch_of_the_same_build(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    boot = made(tmp_path / "run", rules=["always"], repeats=1, kernel="6.18")[0]
    assert " free_path_reset=1" in boot.facts["program"]


def test_what_is_recorded_is_not_booted_again_failed_or_not(monkeypatch, tmp_path):
    starts = stand_in(monkeypatch, tmp_path, "echo '[ 1.0] Kernel panic - not syncing: no init'")
    first = made(tmp_path / "run", rules=["always"], repeats=1)
    assert nr_lines(starts) == 1
    assert first[0].why_failed is not None and "Kernel panic" in first[0].why_failed
    assert made(tmp_path / "run", rules=["always"], repeats=1) == first
    assert nr_lines(starts) == 1
    made(tmp_path / "run", rules=["always"], repeats=3)
    assert nr_lines(starts) == 3


def test_a_guest_that_hangs_is_ended_and_recorded(monkeypatch, tmp_path):
    starts = stand_in(monkeypatch, tmp_path, "echo '[ 1.0] rcu: stall'; exec sleep 60")
    monkeypatch.setattr(run, "deadline_s", lambda scenario: 0.3)
    boot = made(tmp_path / "run", rules=["always"], repeats=1)[0]
    assert boot.why_failed == "no end after 0 s: the guest never reached t = 0; last line: [ 1.0] rcu: stall"
    with pytest.raises(ProcessLookupError):
        os.kill(int(starts.read_text().split()[0]), 0)


def test_the_key_is_of_everything_a_boot_depends_on(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    base = request()
    keys = {planned.key for planned in run.plan(base)}
    keys |= {planned.key for planned in run.plan(request(kernel="6.18"))}
    assert len(keys) == 8
    again = {planned.key for planned in run.plan(request())}
    assert again < keys
    monkeypatch.setattr(run.guest, "fingerprint", lambda: "another")
    assert keys.isdisjoint({planned.key for planned in run.plan(request())})
    monkeypatch.undo()
    stand_in(monkeypatch, tmp_path, SAYS)
    monkeypatch.setattr(run.build, "manifest", lambda: {"inputs": {"change": "another"}})
    assert keys.isdisjoint({planned.key for planned in run.plan(request())})


def test_a_folder_with_boots_is_gone_on_with_only_if_asked(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    made(tmp_path / "run", rules=["always"], repeats=1)
    with pytest.raises(ValueError, match="found 1 boots, wanted a new folder, or --resume"):
        run.open_folder(tmp_path / "run", resume=False)
    assert run.open_folder(tmp_path / "run", resume=True).path == tmp_path / "run"
    with pytest.raises(ValueError, match="--resume: found no --out"):
        run.open_folder(None, resume=True)


def test_what_is_missing_or_too_large_is_one_line(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    with pytest.raises(ValueError, match=r"--kernel: found '7\.0', wanted one of 6\.12, 6\.18"):
        run.check([scenario()], "7.0")
    with pytest.raises(ValueError, match="--rule: found 'alway', wanted one of always"):
        run.rules_of(["alway"])
    with pytest.raises(ValueError, match="found futile_revival_few 2 times"):
        run.check([scenario(), scenario()], "6.12")
    monkeypatch.setattr(run, "_available_mib", lambda: 1000.0)
    with pytest.raises(ValueError, match="found 1000 MiB available on this host, wanted"):
        run.check([scenario()], "6.12")


def test_what_the_guest_cannot_do_is_said_before_anything_is_to_be_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"swapon in the kernel lab: swap: found a table, wanted none"):
        run.check([load("swapon")], "6.12")
    with pytest.raises(ValueError, match="qemu-system-x86_64: not found"):
        run.check([scenario()], "6.12")


def test_reports_are_made_of_the_boots(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    made(tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    text = outcome.report(folder, "reclaim kernel run")
    assert "2 unpaired boots" in text and "classic LRU" in text
    assert {path.name for path in folder.path.iterdir()} >= {"report.html", "report.txt", "tb", "logs"}
    assert (folder.path / "tb" / "futile_revival_few" / "balanced").is_dir()
    found = outcome.collect(folder, "again")
    assert found.scenarios[0].values["always"].shape[0] == 2
    assert found.scenarios[0].difference("balanced", "always", "pgscan_kswapd").diff == 0


def test_a_report_is_made_of_rules_that_are_no_baselines_and_names_what_failed(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path, SAYS)
    made(tmp_path / "run", rules=["never"], repeats=1)
    stand_in(monkeypatch, tmp_path, "exit 1")
    made(tmp_path / "run", rules=["no_memcg"], repeats=1)
    text = outcome.report(RunFolder(tmp_path / "run"), "reclaim kernel run")
    assert "Without boots of both always and balanced there is no verdict." in text
    assert "no_memcg, repeat 1 failed: QEMU ended with 1" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_qemu_and_keeps_what_is_finished(tmp_path, number):
    """In a process of its own, as a shell starts it in the background: with SIGINT ignored."""
    hangs = f"[ $(wc -l < '{tmp_path}/starts') = 1 ] && exec {SAYS} || exec sleep 60"
    script = tmp_path / "series.py"
    script.write_text(
        "from pathlib import Path\nimport pytest\n"
        "from tests.kernel_lab import test_run as t\n"
        "from tests.kernel_lab.lab import stand_in\n"
        f"stand_in(pytest.MonkeyPatch(), Path({str(tmp_path)!r}), {hangs!r})\n"
        f"t.made(Path({str(tmp_path / 'run')!r}))\n"
    )
    running = subprocess.Popen(
        [sys.executable, script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        stderr=subprocess.DEVNULL,
    )
    starts, deadline = tmp_path / "starts", time.monotonic() + 60
    while nr_lines(starts) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(number)
    running.wait(20)
    assert running.returncode != 0
    assert len(boots(tmp_path / "run")) == 1
    status = json.loads((tmp_path / "run" / "manifest.json").read_text())["status"]
    assert status == "interrupted"
    with pytest.raises(ProcessLookupError):
        os.kill(int(starts.read_text().splitlines()[1].split()[0]), 0)


def test_a_signal_that_comes_while_qemu_is_started_leaves_no_qemu(monkeypatch):
    """Raised inside Popen, nobody would hold what to end."""
    started, real = [], subprocess.Popen

    def interrupted(*arguments, **options):
        started.append(real(*arguments, **options))
        os.kill(os.getpid(), signal.SIGTERM)
        return started[-1]

    monkeypatch.setattr(boot.subprocess, "Popen", interrupted)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            boot.boot(["sleep", "60"], 30)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert started[0].poll() == -signal.SIGTERM
