"""The audit itself, where much happens at once: test_mutants.py shows that it fails where the model does."""

from tests.model.audit import audit
from tests.model.machines import NODE, anon, file, machine, mib, reader
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


def test_a_pressed_machine_passes_the_audit(model):
    machines = pressed()
    model.tick.start_episode(as_records(machines)[0])
    audit(machines)
    for _ in range(8):
        before = machines.copy()
        model.tick.step_rows(as_records(machines), 2)
        audit(machines, before)
    vmstat = machines["node"]["vmstat"]
    names = ("pgscan_kswapd", "workingset_refault_file", "allocstall", "pgactivate")
    assert {name: bool(vmstat[name].any()) for name in names} == dict.fromkeys(names, True)
    assert vmstat["progress"].sum(axis=(0, 1))[[0, 1, 2]].all()
