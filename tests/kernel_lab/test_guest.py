"""The guest's program: it compiles without a warning, reads what translate.py writes, refuses the rest."""

import gzip
import math
import shutil
import subprocess

import pytest

from experiments.kernel_lab import guest
from experiments.kernel_lab.translate import program
from reclaim_env.model.layout import NR_LATENCY_BINS
from reclaim_env.scenario import load
from tests.kernel_lab.test_translate import REQUEST, SCENARIOS, scenario_with

pytestmark = pytest.mark.skipif(shutil.which(guest.COMPILER) is None, reason="needs a C compiler")

PROGRAM = program(scenario_with(), REQUEST)


@pytest.fixture(scope="module")
def init(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield guest.init()


def check(init, tmp_path, text):
    path = tmp_path / "scenario.txt"
    path.write_text(text)
    return subprocess.run([init, "--check", path], capture_output=True, text=True, timeout=10)


def test_it_is_static_and_compiled_once(init):
    made = init.stat().st_mtime_ns
    assert b"/lib64/ld-linux" not in init.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(init.parents[3]))
        assert guest.init() == init
    assert init.stat().st_mtime_ns == made


def test_a_changed_source_is_another_program_and_an_error_is_one_line(init, tmp_path, monkeypatch):
    sources = tmp_path / "guest"
    shutil.copytree(guest.SOURCES, sources)
    before = guest.fingerprint()
    monkeypatch.setattr(guest, "SOURCES", sources)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert guest.fingerprint() == before
    (sources / "clock.h").write_text("int unused = nonsense;\n")
    assert guest.fingerprint() != before
    with pytest.raises(ValueError, match=r"^gcc: the guest program: .*clock\.h.*error") as caught:
        guest.init()
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "reclaim-env" / "kernel" / "guest").iterdir())


def test_the_initrd_carries_the_program(init, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(init.parents[3]))
    unpacked = gzip.decompress(guest.initrd(PROGRAM))
    assert PROGRAM.encode() in unpacked
    assert init.read_bytes() in unpacked
    assert guest.initrd(PROGRAM) == guest.initrd(PROGRAM)


def test_it_finds_what_the_scenario_says(init, tmp_path):
    done = check(init, tmp_path, PROGRAM)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "5000000 us, 2 nodes, 2 cgroups, 1 events",
        "anon hog: 1 members, 2 threads, 2 points, 0 files",
        "reader pages: 3 members, 1 threads, 0 points, 1 files",
        "stream log: 1 members, 1 threads, 0 points, 1 files",
    ]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_it_reads_every_scenario_of_the_lab(init, tmp_path, path):
    done = check(init, tmp_path, program(load(path), REQUEST))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("atomic name=net\n", "found the word atomic"),
        ("hopeless node=9\n", "found node=9"),
        ("hopeless\n", "found no node"),
        ("hopeless node=0 colour=red\n", "found colour, which is not known"),
        ("hopeless node\n", "found node"),
        ("hopeless node=one\n", "found node=one, wanted a whole number"),
        ("run version=2\n", "found another version"),
        ("event at_us=1 file=memory.max cgroup=nobody pages=1\n", "found cgroup nobody"),
        ("sysctl name=" + "x" * 100 + " value=1\n", "found a name of 100 bytes"),
        ("sysctl name=" + "x" * 2000 + " value=1\n", "more than"),
    ],
)
def test_a_line_it_does_not_understand_ends_it_with_one_line(init, tmp_path, line, told):
    done = check(init, tmp_path, PROGRAM + line)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "line", ["resident node=0 inactive_pages=1 active_pages=0", "initial node=0 pages=1"]
)
def test_a_part_without_its_whole_is_refused(init, tmp_path, line):
    done = check(init, tmp_path, f"{line}\n")
    assert done.returncode == 1 and "wanted the workload first" in done.stderr


def test_a_program_without_its_first_line_is_refused(init, tmp_path):
    assert "found no run" in check(init, tmp_path, "node id=0 kernel_pages=1\n").stderr


def test_it_does_nothing_on_an_ordinary_host(init):
    done = subprocess.run([init], capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and done.stderr.startswith("usage: ")


def run_harness(tmp_path, body, *sources):
    """A main() of our own with some of the guest's sources."""
    (tmp_path / "harness.c").write_text(body)
    files = [tmp_path / "harness.c", *(guest.SOURCES / name for name in sources)]
    command = [guest.COMPILER, *guest.FLAGS, "-I", guest.SOURCES, "-o", tmp_path / "harness", *files, "-lm"]
    subprocess.run(command, check=True)
    done = subprocess.run([tmp_path / "harness"], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


def test_latencies_fall_into_the_simulators_bins(tmp_path):
    body = """
#include <stdio.h>
#include "shared.h"
int main(void)
{
	static struct tally tally;
	for (int64_t ns = 1; ns < INT64_C(1) << 50; ns += ns / 3 + 1) {
		int bin = 0;
		count_ops(&tally, 5, ns, ns);
		while (tally.latency[bin] == 0)
			bin++;
		printf("%lld %d\\n", (long long)ns, bin);
		tally.latency[bin] = 0;
	}
	return 0;
}
"""
    words = run_harness(tmp_path, body, "shared.c", "fail.c", "program.c", "statement.c")
    for ns, found in zip(words[::2], words[1::2], strict=True):
        us = int(ns) / 1000
        assert int(found) == min(int(2 * math.log2(max(us, 1))), NR_LATENCY_BINS - 1)


def test_a_file_that_falls_silent_is_in_use_for_its_share_of_the_time(tmp_path):
    body = """
#include <stdio.h>
#include "files.h"
int main(void)
{
	static const struct file file = { .on_us = 200000, .off_us = 50000 };
	struct open_file open = { .file = &file, .draws = 12345 };
	int64_t ms, on_ms = 0, switches = 0;
	for (ms = 1; ms < 1000000; ms++) {
		bool before = open.on;
		switch_file(&open, ms * 1000000);
		switches += before != open.on;
		on_ms += open.on;
	}
	printf("%lld %lld\\n", (long long)on_ms, (long long)switches);
	return 0;
}
"""
    sources = [path.name for path in guest.SOURCES.glob("*.c") if path.name != "main.c"]
    on_ms, switches = map(int, run_harness(tmp_path, body, *sources))
    assert on_ms == pytest.approx(800_000, rel=0.02)
    assert switches == pytest.approx(2 * 1_000_000 / 250, rel=0.05)
