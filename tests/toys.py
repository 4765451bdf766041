"""Small machines on which much happens in seconds, for tests of the environment."""

from reclaim_env.scenario import Scenario, parse_text

_LIVELY = """
name = "lively"
source = "made up for tests"
duration_s = 4
watermark_scale_factor = 300

[device]
latency_us = 80
bandwidth_mib_per_s = 2000
iops_per_s = 200_000

[[node]]
total_mib = 512
kernel_mib = 16

[[node]]
total_mib = 512
kernel_mib = 16

[[cgroup]]
name = "limited"
memory_high_mib = 64

[[cgroup]]
name = "free"

[[anon]]
name = "hog"
cgroup = "free"
cpu_node = 0
threads = 4
initial_mib = [330, 350]
schedule = [[0, 680], [2, 800], [3, 700], [4, 700]]
churn_mib_per_s = 20

[[anon]]
name = "bursts"
cgroup = "free"
cpu_node = 1
policy = "bind"
nodes = [1]
threads = 2
initial_mib = [0, 8]
burst_mib = 40
burst_every_ms = 400
burst_hold_ms = 150

[[reader]]
name = "server"
cgroup = "limited"
cpu_node = 0
threads = 2
[[reader.file]]
mib = 80
share = 1
access = "mmap"
pattern = "random"
on_s = 0.5
off_s = 0.3
inactive_mib = [20, 10]
active_mib = [10, 10]

[[reader]]
name = "bystander"
cgroup = "free"
cpu_node = 1
threads = 2
[[reader.file]]
mib = 60
share = 1
access = "read"
pattern = "random"
inactive_mib = [10, 20]
active_mib = [10, 10]

[[stream]]
name = "backup"
cgroup = "free"
cpu_node = 1
mib_per_s = 60
inactive_mib = [0, 0]

[[atomic]]
name = "network"
cpu_node = 1
burst_kib = 4096
every_ms = 200
hold_ms = 100

[[hopeless]]
node = 1
"""


def lively(name: str = "lively") -> Scenario:
    """Two nodes where kswapd runs, fails, is revived; direct and cgroup reclaim make progress as well."""
    return parse_text(_LIVELY.replace('"lively"', f'"{name}"'))


def plain(nr_nodes: int) -> Scenario:
    """As many nodes as asked, of the smallest size; a stream fills them, a task grows past what there is."""
    node = "[[node]]\ntotal_mib = 256\n"
    zeros = ", ".join("0" for _ in range(nr_nodes))
    return parse_text(
        f"""
name = "plain"
source = "made up for tests"
duration_s = 4
min_free_kib = 4096
[device]
latency_us = 80
bandwidth_mib_per_s = 2000
iops_per_s = 200_000
{node * nr_nodes}
[[anon]]
name = "grower"
cpu_node = 0
threads = 2
initial_mib = [{zeros}]
schedule = [[0, 0], [2, {300 * nr_nodes}], [4, {300 * nr_nodes}]]
restart_s = 1
[[stream]]
name = "stream"
cpu_node = 0
mib_per_s = {100 * nr_nodes}
inactive_mib = [{zeros}]
"""
    )
