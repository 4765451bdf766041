"""The audit itself, where much happens at once: test_mutants.py shows that it fails where the model does."""

from tests.model.audit import audit
from tests.model.machines import NODE, SWAP, anon, file, machine, mib, reader
from tests.model.plain import as_records


def pressed():
    """Two nodes near their marks: tasks churn, pages are evicted and read again, limits hold."""
    kernel = [65536 - 30000 - 9000 - 600, 65536 - 20000 - 9000 - 600]
    mapped = reader("mapped", "box", files=[file([4000, 4000], size=12000, access="mmap")], threads=4)
    plain_read = reader("read", files=[file([4000, 4000], [1000, 1000], size=20000)], threads=4, cpu_node=1)
    return machine(
        "always",
        node=[{**NODE, "kernel_mib": mib(pages)} for pages in kernel],
        cgroup=[{"name": "box", "memory_high_mib": mib(7000)}],
        anon=[
            anon("hog", pages=[30000, 20000], churn_mib_per_s=300, threads=4),
            anon("burst", pages=[0, 0], burst_mib=20, burst_every_ms=60, burst_hold_ms=30, threads=8),
        ],
        reader=[mapped, plain_read],
    )


def counted_under_audit(model, machines, nr_spans: int) -> set[str]:
    """Names of the counters that have moved in so many spans of two ticks, each of them audited."""
    model.tick.start_episode(as_records(machines)[0])
    audit(machines)
    for _ in range(nr_spans):
        before = machines.copy()
        model.tick.step_rows(as_records(machines), 2)
        audit(machines, before)
    vmstat = machines["node"]["vmstat"]
    return {name for name in vmstat.dtype.names if vmstat[name].any()}


def test_a_pressed_machine_passes_the_audit(model):
    machines = pressed()
    assert counted_under_audit(model, machines, 8) >= {
        "pgscan_kswapd",
        "workingset_refault_file",
        "allocstall",
        "pgactivate",
    }
    vmstat = machines["node"]["vmstat"]
    assert vmstat["progress"].sum(axis=(0, 1))[[0, 1, 2]].all()


def many_parts():
    """Two tiers, compressed swap, slab, boosts, memory that comes and goes, a killer that never strikes."""
    heats = [{"share": 1, "touch_per_s": 50, "active_ratio": 1}, {"share": 3, "touch_per_s": 0.2}]
    growth = [[0, mib(68_000)], [0.05, mib(73_000)]]
    job = anon("job", "box", pages=[48_000, 20_000], threads=4, heat=heats, schedule=growth)
    room = [65_536 - 48_000 - 4_000 - 1_000, 65_536 - 20_000 - 1_400]
    nodes = [{**NODE, "kernel_mib": mib(pages - 2_000), "slab_mib": mib(2_000)} for pages in room]
    return machine(
        "always",
        node=[{**nodes[0], "demotes_to": 1, "boosts_per_s": 50, "slab_mib_per_s": 100}, nodes[1]],
        cgroup=[{"name": "box", "memory_swap_max_mib": 12}],
        anon=[job],
        reader=[reader(files=[file([3_000, 0], [1_000, 0], access="mmap")], threads=2, think_ms=1)],
        swap={**SWAP, "pool_ratio": 0.3, "page_cpu_us": 3},
        hotplug=[
            {"at_s": at_s, "kind": kind, "node": nid, "mib": mib(pages)}
            for at_s, kind, nid, pages in (
                (0.02, "inflate", 1, 500),
                (0.04, "online", 0, 256),
                (0.06, "deflate", 1, 300),
                (0.08, "offline", 0, 128),
            )
        ],
        oomd={},
    )


def test_a_machine_of_many_parts_passes_the_audit(model):
    machines = many_parts()
    assert counted_under_audit(model, machines, 6) >= {
        "pswpout",
        "pswpin",
        "pgdemote_kswapd",
        "slabs_scanned",
        "boosts",
        "workingset_refault_file",
    }
    assert not machines["hotplug"]["left_pages"][0, :4].any() and machines["psi"]["total_s"].all()
