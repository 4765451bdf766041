"""When the page-exact kswapd gives up."""

from reclaim_env.reference.kswapd import count_failure

from .machines import one_file


def test_sixteen_fruitless_runs_make_a_node_hopeless_at_that_moment():
    m = one_file(inactive=100)
    node = m.node[0]
    for run in range(1, 17):
        assert node["hopeless_since_s"] < 0
        m.system[0]["time_s"] = float(run)
        count_failure(m, 0)
        assert node["kswapd_failures"] == node["kswapd_fruitless_runs"] == run
    assert (node["first_fruitless_s"], node["hopeless_since_s"], node["first_hopeless_s"]) == (
        1.0,
        16.0,
        16.0,
    )
