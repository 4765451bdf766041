"""Wrong, hostile and missing scenario files: one line each, quickly, naming file and field."""

import codecs
import os
import threading
import time
from pathlib import Path

import pytest

from reclaim_env.scenario import ScenarioError, load, parse_text
from reclaim_env.scenario.file import MAX_FILE_BYTES

GOOD = (Path(__file__).parent / "scenarios" / "good.toml").read_text()


def changed(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


def error_of(toml: str) -> str:
    with pytest.raises(ScenarioError) as error:
        parse_text(toml, "bad.toml")
    return str(error.value)


# (what is replaced, by what, what the line must say after "bad.toml: ")
WRONG = [
    # keys and types
    ("total_mib = 1024", "total_mb = 1024", "node.0.total_mb: found an unknown field, wanted `total_mib`"),
    ("latency_us", "latency_ms", "device.latency_ms: found an unknown field, wanted `latency_us`"),
    ("think_ms = 2", "think_us = 2", "reader.pages.think_us: found an unknown field, wanted `think_ms`"),
    ("[[reader.file]]", "[[reader.files]]", "reader.pages.files: found an unknown field, wanted `file`"),
    ("[[stream]]", "[[streams]]", "streams: found an unknown field, wanted `stream`"),
    ("latency_us = 80", "", "device.latency_us: found nothing, wanted latency of one 4 KiB read"),
    ("\nmib = 20\n", "\n", "reader.pages.file.0.mib: found nothing, wanted size (MiB)"),
    ("= 1024", '= "1 GiB"', "node.0.total_mib: found '1 GiB', wanted number (MiB)"),
    ("= 1024", "= true", "node.0.total_mib: found True, wanted number (MiB)"),
    ("count = 3", "count = 3.0", "cgroup.web.count: found 3.0, wanted integer"),
    ("count = 3", 'count = "3"', "cgroup.web.count: found '3', wanted integer"),
    ("[500, 0]", "500", "anon.hog.initial_mib: found 500, wanted a list (MiB)"),
    ("[500, 0]", "[500]", "anon.hog.initial_mib: found 1 numbers, wanted 2, one for each node"),
    ("[device]", "[[device]]", "device: found a list of 1, wanted"),
    ("1024", "1979-05-27", "node.0.total_mib: found datetime.date(1979, 5, 27), wanted number (MiB)"),
    # numbers
    ("= 1024", "= nan", "node.0.total_mib: found nan, wanted a finite number (MiB)"),
    ("iops_per_s = 400_000", "iops_per_s = inf", "device.iops_per_s: found inf, wanted a finite number"),
    ("latency_us = 80", "latency_us = 1e999", "device.latency_us: found inf, wanted a finite number (us)"),
    ("= 1024", "= 1e18", "node.0.total_mib: found 1e+18, wanted less than or equal to"),
    ("= 1024", "= 255", "node.0.total_mib: found 255, wanted greater than or equal to 256 (MiB)"),
    ("= 1024", f"= 1{'0' * 400}", "node.0.total_mib: found a number of 1329 bits, wanted number (MiB)"),
    ("kernel_mib = 16", "kernel_mib = -1", "node.1.kernel_mib: found -1, wanted greater than or equal to 0"),
    ("count = 3", "count = 1000000000", "cgroup.web.count: found 1000000000, wanted less than or equal to"),
    ('"made up"', '"made up"\ntick_ms = 7', "tick_ms: found 7, wanted a divisor of 1000 (ms)"),
    ('"made up"', '"made up"\nduration_s = 1e18', "duration_s: found 1e+18, wanted less than or equal"),
    ('"made up"', '"made up"\nwatermark_scale_factor = 3001', "watermark_scale_factor: found 3001, wanted"),
    (
        '"made up"',
        '"made up"\nmin_free_kib = 4000000',
        "min_free_kib: found 4000000, wanted watermarks below",
    ),
    (
        '"made up"',
        '"made up"\n[cost]\nscan_us = 0.3',
        "cost.source: found nothing, wanted the source of scan_us",
    ),
    # names
    ('name = "good"', 'name = "../../etc"', "name: found '../../etc', wanted a name of a-z, 0-9, _ and -"),
    ('name = "good"', 'name = ""', "name: found '', wanted a name of a-z"),
    ('name = "good"', f'name = "{"a" * 65}"', "name: found 'aaaaa"),
    ('name = "good"', 'name = "a\\u0000b"', "name: found 'a\\\\x00b', wanted a name of a-z"),
    ('name = "good"', 'name = "\\u202eevil"', "name: found '\\\\u202eevil', wanted a name of a-z"),
    ('name = "log"', 'name = "hog"', "stream.hog.name: found hog, wanted another name than that of anon.hog"),
    ('name = "pod"', 'name = "web"', "cgroup.web.name: found web, wanted every name once"),
    ('parent = "pod"', 'parent = "web"', "cgroup.web.parent: found web, wanted a cgroup of an earlier"),
    ('name = "pod"', 'name = "pod"\ncount = 2', "cgroup.web.parent: found pod, wanted a cgroup with count 1"),
    ('cgroup = "web"\ncpu', 'cgroup = "wbe"\ncpu', "reader.pages.cgroup: found wbe, wanted the name of a"),
    (
        'cgroup = "web"\nmib',
        'cgroup = "wbe"\nmib',
        "event.0.cgroup: found wbe, wanted the name of a [[cgroup]]",
    ),
    # nodes
    ("cpu_node = 1", "cpu_node = 2", "reader.pages.cpu_node: found 2, wanted 0..1, this machine's nodes"),
    ("nodes = [1]", "nodes = [1, 2]", "reader.pages.nodes: found [1, 2], wanted 0..1, this machine's nodes"),
    ("nodes = [1]", "nodes = [1, 1]", "reader.pages.nodes: found [1, 1], wanted every node once"),
    ("nodes = [1]", "", "reader.pages.nodes: found nothing, wanted the nodes of policy bind"),
    ('policy = "bind"', "", "reader.pages.nodes: found [1], wanted no nodes with policy local"),
    ('policy = "bind"', 'policy = "blind"', "reader.pages.policy: found 'blind', wanted 'local', 'bind'"),
    ("node = 1\n[[ass", "node = 2\n[[ass", "hopeless.0.node: found 2, wanted 0..1, this machine's nodes"),
    ("= 1024", "= 1024\ndistance = [10, 20]", "node.1.distance: found nothing, wanted 2 distances"),
    ("= 1024", "= 1024\ndistance = [20, 10]", "node.0.distance: found [20, 10], wanted 2 distances"),
    # memory and limits
    ("[500, 0]", "[5000, 0]", "node.0.total_mib: found 5000.00 MiB of kernel, slab, anon and resident"),
    (
        "kernel_mib = 16",
        "unusable_mib = 500",
        "node.1.unusable_mib: found 500.0, wanted at most the free 482.00",
    ),
    (
        "memory_max_mib = 40",
        "memory_max_mib = 9",
        "cgroup.web.memory_max_mib: found 9.0, wanted at least the 10.00",
    ),
    ("[0, 10]", "[0, 30]", "reader.pages.file.0.mib: found 20.0, wanted at least the 30 MiB resident"),
    # time
    ("[[0, 500], [5", "[[1, 500], [5", "anon.hog.schedule: found 1.0, wanted a first breakpoint at t 0"),
    ("[5, 600]", "[0, 600]", "anon.hog.schedule: found [0.0, 0.0], wanted breakpoints in the order of time"),
    ("[5, 600]", "[5]", "anon.hog.schedule.1.1: found nothing, wanted"),
    (
        "[[0, 500], [5, 600]]",
        str([[t, 1] for t in range(17)]),
        "anon.hog.schedule: found a list of 17, wanted at most 16 items (",
    ),
    ("[device]", "[[device]]", "device: found a list of 1, wanted a table"),
    (
        "mib_per_s = 5",
        "mib_per_s = 5\nstop_s = 0",
        "stream.log.stop_s: found 0.0, wanted a time after start_s",
    ),
    ("hold_ms = 10", "hold_ms = 101", "atomic.packets.hold_ms: found 101.0, wanted at most every_ms = 100.0"),
    (
        "[500, 0]",
        "[500, 0]\nburst_mib = 9",
        "anon.hog.burst_mib: found 9.0, wanted burst_mib, burst_every_ms",
    ),
    (
        "\nmib = 20",
        "\nmib = 20\non_s = 1",
        "reader.pages.file.0.off_s: found nothing, wanted a mean time, as on_s",
    ),
    # assumed numbers
    ("low = 10", "low = 21", "assumed.0.low: found 21..30, wanted low..high around reader.pages.file.0.mib"),
    ("low = 10", "low = 31", "assumed.0.low: found 31.0, wanted at most high = 30.0"),
    (
        "file.0.mib",
        "file.1.mib",
        "assumed.0.field: found reader.pages.file.1.mib, wanted the path of a number",
    ),
    ("file.0.mib", "file.0.access", "assumed.0.field: found reader.pages.file.0.access, wanted the path"),
    # TOML
    (
        'name = "good"',
        'name = "good',
        "line 2, column 13: found illegal character '\\\\n', wanted valid TOML",
    ),
    ('name = "good"', "name = ", "line 2, column 8: found invalid value, wanted valid TOML"),
    ('name = "good"', 'name = "good"\nname = "x"', "found cannot overwrite a value, wanted valid TOML"),
    ("= 1024", f"= 1{'0' * 5000}", "found exceeds the limit (4300 digits) for integer string conversion"),
    (
        "[device]",
        f"x = {'[' * 17}{']' * 17}\n[device]",
        "line 4: found deeper nesting, wanted at most 16 levels",
    ),
    (
        "[device]",
        f"{'.'.join('a' * 18)} = 1\n[device]",
        "line 4: found deeper nesting, wanted at most 16 levels",
    ),
]


@pytest.mark.parametrize(("old", "new", "line"), WRONG)
def test_a_mistake_gives_one_line_with_file_field_found_and_wanted(old, new, line):
    started = time.process_time()
    message = error_of(changed(old, new))
    assert time.process_time() - started < 0.5
    assert message.startswith("bad.toml: ")
    assert line in message.replace("\\", "\\\\")
    assert message.isprintable()
    assert len(message) < 400


def many(table: str, number: int, body: str) -> str:
    return "".join(f'[[{table}]]\nname = "{table}{index}"\n{body}\n' for index in range(number))


READER = "cpu_node = 0\n[[reader.file]]\nmib = 1"


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        (many("cgroup", 31, ""), "cgroup: found a list of 33, wanted"),
        (many("cgroup", 30, ""), "cgroup: found 33 cgroups with the root, wanted at most 32"),
        (many("anon", 21, "cpu_node = 0"), "reader: found 25 workloads, wanted at most 24"),
        (
            many("reader", 12, READER + "\n[[reader.file]]\nmib = 1" * 5),
            "found 74 files, streams and heats, wanted at most 64",
        ),
        (
            "[[event]]\nat_s = 1\nkind = 'memory_max'\ncgroup = 'web'\nmib = 90\n" * 16,
            "event: found a list of 17",
        ),
        ("[[node]]\ntotal_mib = 256\n" * 7, "node: found a list of 9, wanted"),
    ],
)
def test_more_than_the_record_holds_is_refused(tables, line):
    assert line in error_of(GOOD + tables)


@pytest.mark.parametrize(
    "toml",
    [
        f"{'.'.join(['a'] * 20_000)} = 1",
        ".".join(['"a"'] * 10_000) + " = 1",
        f"{' . '.join(['a'] * 10_000)} = 1",
        f"[{'.'.join(['a'] * 20_000)}]",
        f"x = {{{'.'.join(['a'] * 20_000)} = 1}}",
        f"x = {'[' * 100_000}",
        f"x = {'{a = ' * 40_000}",
        'x = "' + '\\"' * 100_000,
        '"""' * 80_000,
        "'" * 250_000,
        "#" * 250_000,
        "a" * 250_000,
        "a" * 250_000 + " = 1",
        f"source = {'[' * 16}{']' * 16}",
        "\n" * 250_000,
        "[" * 250_000,
        "a = [" + "1," * 120_000 + "]",
        "[[a]]\n" * 40_000,
        "".join(f"[a{index}]\nb.c.d.e.f.g.h.i.j.k.l = 1\n" for index in range(7000)),
        "x = 1" + "_1" * 100_000,
        "name = 1\n" * 20_000,
        "x" * (MAX_FILE_BYTES + 1),
    ],
    ids=lambda toml: toml[:12],
)
def test_a_hostile_file_is_refused_in_well_under_a_second(toml):
    started = time.process_time()
    message = error_of(toml)
    assert time.process_time() - started < 1.0
    assert message.isprintable()
    assert len(message) < 400


def test_a_key_in_a_string_or_comment_is_not_nesting():
    dots = ".".join("a" * 40)
    brackets = "[" * 40
    note = f"'''{brackets}\n{dots}'''"
    assert parse_text(changed('"made up"', f'"{dots} {brackets}" # {dots} {brackets}\ndescription = {note}'))


@pytest.mark.parametrize(
    ("name", "content"),
    [("bytes.toml", b"\xff\xfe"), ("large.toml", b"#" * (MAX_FILE_BYTES + 1)), ("empty.toml", b"")],
)
def test_a_file_that_is_no_scenario_is_refused_by_name(tmp_path: Path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ScenarioError, match=name):
        load(path)


def test_a_byte_order_mark_and_a_pipe_are_read(tmp_path: Path):
    text = codecs.BOM_UTF8 + GOOD.encode()
    (tmp_path / "marked.toml").write_bytes(text)
    assert load(tmp_path / "marked.toml") == parse_text(GOOD)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(text,))
    writer.start()
    assert load(tmp_path / "pipe") == parse_text(GOOD)
    writer.join()
    with pytest.raises(ScenarioError, match="found a folder, wanted a readable file"):
        load(tmp_path)


@pytest.mark.parametrize("path", ["no.toml", "", ".", "/", "a\0b", "a\nb.toml", "x" * 5000])
def test_a_path_that_is_no_file_is_refused_in_one_line(path):
    with pytest.raises(ScenarioError) as error:
        load(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400


def test_a_device_is_never_read():
    with pytest.raises(ScenarioError, match="wanted a readable file"):
        load("/dev/zero")


def test_a_mistyped_id_gets_a_suggestion():
    with pytest.raises(ScenarioError, match="`incident`"):
        load("incidnet")
