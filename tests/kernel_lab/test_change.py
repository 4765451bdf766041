"""The change is whole or absent, says why it is refused, and its numbers are the model's."""

import re

import pytest

from experiments.kernel_lab import change
from reclaim_env.model.constants import FREE_PATH, REASONS
from reclaim_env.reset_rules import KERNEL_RULES
from tests.kernel_lab.kernel_tree import contents, make_tree


def test_every_edit_and_every_file_of_ours_arrives(tmp_path):
    tree = make_tree(tmp_path)
    change.apply(tree)
    for edit in change.EDITS:
        assert (tree / edit.file).read_text().count(edit.becomes) == 1
    for ours, theirs in change.FILES.items():
        assert (tree / theirs).read_text() == (change.OURS / ours).read_text()


def test_applied_twice_is_applied_once(tmp_path):
    tree = make_tree(tmp_path)
    change.apply(tree)
    once = contents(tree)
    times = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    change.apply(tree)
    assert contents(tree) == once
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == times


def test_a_change_interrupted_between_two_files_is_finished(tmp_path):
    whole, interrupted = make_tree(tmp_path / "whole"), make_tree(tmp_path / "interrupted")
    change.apply(whole)
    (interrupted / "mm/vmscan.c").write_text((whole / "mm/vmscan.c").read_text())
    change.apply(interrupted)
    assert contents(interrupted) == contents(whole)


@pytest.mark.parametrize("edit", change.EDITS, ids=lambda edit: f"{edit.file}:{edit.anchor.split()[0]}")
@pytest.mark.parametrize("times", [0, 2])
def test_an_anchor_not_found_once_refuses_all_of_the_change(tmp_path, edit, times):
    tree = make_tree(tmp_path)
    text = (tree / edit.file).read_text()
    (tree / edit.file).write_text(text.replace(edit.anchor, "\n".join([edit.anchor] * times)))
    before = contents(tree)
    with pytest.raises(ValueError, match=rf"^{edit.file}: anchor .* found {times} times, wanted once"):
        change.apply(tree)
    assert contents(tree) == before


def test_a_later_kernel_is_refused_by_the_line_that_reads_otherwise(tmp_path):
    tree = make_tree(tmp_path)
    vmscan = tree / "mm/vmscan.c"
    stock = "pgdat->kswapd_failures = 0;"
    vmscan.write_text(vmscan.read_text().replace(stock, "atomic_set(&pgdat->kswapd_failures, 0);"))
    with pytest.raises(ValueError, match=r"mm/vmscan.c: anchor `if \(reclaimable\) / .* Linux 6\.12"):
        change.apply(tree)


def test_a_missing_file_is_named(tmp_path):
    tree = make_tree(tmp_path)
    (tree / "mm/page_alloc.c").unlink()
    with pytest.raises(ValueError, match=r"^mm/page_alloc\.c: not in this kernel source"):
        change.apply(tree)


def test_the_fingerprint_follows_what_is_compiled(tmp_path, monkeypatch):
    before = change.fingerprint()
    assert before == change.fingerprint()
    for ours in change.FILES:
        (tmp_path / ours).write_text((change.OURS / ours).read_text())
    monkeypatch.setattr(change, "OURS", tmp_path)
    assert change.fingerprint() == before
    (tmp_path / "reclaim_lab.c").write_text("/* another */")
    assert change.fingerprint() != before


def test_stock_612_is_the_number_the_kernel_starts_with():
    names = re.search(r"reason_names\[LAB_REASONS\] = \{(.*?)\}", _source("reclaim_lab.c"), re.S)
    assert names is not None
    reasons = tuple(re.findall(r'"(\w+)"', names[1]))
    assert reasons == REASONS[: len(reasons)] == REASONS[:FREE_PATH]
    assert change.rule_number(KERNEL_RULES["always"]) == (1 << len(reasons)) - 1


def test_rules_differ_in_their_numbers_and_a_number_tells_its_rule():
    numbers = {name: change.rule_number(rule) for name, rule in KERNEL_RULES.items()}
    assert len(set(numbers.values())) == len(KERNEL_RULES)
    for name, rule in KERNEL_RULES.items():
        masks = tuple(numbers[name] >> shift & 0xFF for shift in (0, 8, 16))
        assert masks == (rule.always, rule.balanced, rule.coin)


def test_what_is_compiled_into_a_kernel_says_gpl_2():
    for ours in change.FILES:
        assert "SPDX-License-Identifier: GPL-2.0" in _source(ours).splitlines()[0]


def _source(ours: str) -> str:
    return (change.OURS / ours).read_text()
