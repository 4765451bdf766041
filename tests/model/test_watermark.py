"""The watermark test and what it means for a node."""

from tests.model.machines import plain, set_free


def test_the_mark_itself_is_not_enough(model):
    env = plain()
    for free, ok in ((768, False), (769, True)):
        set_free(env, free)
        assert model.watermark.zone_watermark_ok(env.node[0], 768) == ok
        assert model.watermark.pgdat_balanced(env.node[0]) == ok


def test_unusable_pages_do_not_count(model):
    env = plain()
    env.node[0].unusable_pages = 100
    set_free(env, 868)
    assert not model.watermark.pgdat_balanced(env.node[0])
    set_free(env, 869)
    assert model.watermark.pgdat_balanced(env.node[0])


def test_pages_above_a_mark_are_what_may_be_taken_before_it_fails(model):
    env = plain()
    env.node[0].unusable_pages = 100
    for free, above in ((500, 0), (612, 0), (613, 1), (700, 88)):
        set_free(env, free)
        assert model.watermark.pages_above(env.node[0], 512) == above


def test_the_toy_node_has_the_watermarks_the_other_tests_count_on():
    node = plain().node[0]
    assert (node.min_wmark_pages, node.low_wmark_pages, node.high_wmark_pages) == (512, 640, 768)
    assert node.managed_pages == 65536
