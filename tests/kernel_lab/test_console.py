import json

import pytest

from experiments.kernel_lab import console
from tests.kernel_lab.lab import recorded


def test_a_recorded_run_is_whole_and_its_noise_is_not_read():
    log = console.parse(recorded())
    assert log.why_incomplete is None
    assert log.boot is not None and log.boot["reset_rule"] == 31
    assert [sample["t_s"] for sample in log.samples] == sorted(sample["t_s"] for sample in log.samples)
    assert set(log.latency_bins) == {one["name"] for one in log.samples[-1]["workload"]}
    assert log.last_kernel_line.endswith("reboot: Power down")


def test_a_log_cut_anywhere_before_its_end_is_a_failed_run():
    whole = recorded()
    end = whole.index(b'@{"kind":"end"')
    for cut in range(0, end, 997):
        assert console.parse(whole[:cut]).why_incomplete is not None


def test_a_hang_is_told_by_the_kernels_last_line():
    cut = recorded()[: recorded().rindex(b'@{"kind":"sample"')]
    why = console.parse(cut + b"[   20.1] Kernel panic - not syncing: \xff\n").why_incomplete
    assert why is not None and "Kernel panic" in why


def test_before_t_0_the_guest_has_not_begun():
    why = console.parse(b"[    0.0] Linux version 6.12\n[    0.5] end trace\n").why_incomplete
    assert why == "the guest never reached t = 0; last line: [    0.5] end trace"


def test_the_guests_own_words_are_the_reason():
    error = b'@{"kind":"error","what":"mbind: Invalid argument"}\n'
    assert console.parse(recorded() + error).why_incomplete == "guest: mbind: Invalid argument"


def test_lines_that_are_no_records_are_noise():
    noise = b'@{"kind":\n@{not json}\n@{"other": 1}\n' + b"@{" + b"[" * 100_000 + b"\n"
    assert console.parse(noise + recorded()) == console.parse(recorded())


def test_another_version_of_the_format_is_refused():
    with pytest.raises(ValueError, match="found version 2, wanted 1"):
        console.parse(b"@" + json.dumps({"kind": "boot", "version": 2}).encode())
