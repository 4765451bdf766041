"""A source is found, told apart from another, and unpacked without being touched."""

import os
import tarfile

import pytest

from experiments.kernel_lab import source
from tests.kernel_lab.kernel_tree import contents, make_tree, write


def pack(archive, *trees):
    with tarfile.open(archive, "w:gz") as tar:
        for tree in trees:
            tar.add(tree, arcname=tree.name)
    return archive


def unpack_in(folder, given):
    with source.unpacked(given, folder) as fresh:
        found = contents(fresh)
    assert not list(folder.glob(".unpacking-*"))
    return found


def test_the_distributions_archive_is_preferred_to_a_tree_and_another_release_is_not_taken(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(source, "INSTALLED", tmp_path)
    assert source.find() is None
    write(tmp_path / "linux-source-6.1.tar.xz", "")
    assert source.find() is None
    tree = make_tree(tmp_path / "linux-source-6.12")
    assert source.find() == tree
    archive = pack(tmp_path / "linux-source-6.12.tar.gz", tree)
    assert source.find() == archive


@pytest.mark.parametrize("packed", [True, False])
def test_an_archive_and_a_tree_give_the_same_copy_and_stay_as_they_are(tmp_path, packed):
    tree = make_tree(tmp_path / "linux")
    given = pack(tmp_path / "linux.tar.gz", tree) if packed else tree
    before = source.identity(given)
    work = tmp_path / "work"
    work.mkdir()
    assert unpack_in(work, given) == contents(tree)
    assert source.identity(given) == before


def test_what_git_keeps_is_not_part_of_a_source(tmp_path):
    tree = make_tree(tmp_path / "linux")
    before = source.identity(tree)
    write(tree / ".git/index", "anything")
    assert source.identity(tree) == before
    work = tmp_path / "work"
    work.mkdir()
    assert ".git/index" not in unpack_in(work, tree)


def test_one_file_written_is_another_source(tmp_path):
    tree = make_tree(tmp_path / "linux")
    before = source.identity(tree)
    status = (tree / "mm/vmscan.c").stat()
    os.utime(tree / "mm/vmscan.c", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert source.identity(tree) != before


def test_an_archive_of_several_trees_is_refused_by_name(tmp_path):
    archive = pack(tmp_path / "two.tar.gz", make_tree(tmp_path / "a"), make_tree(tmp_path / "b"))
    with pytest.raises(ValueError, match=r"--source .*two\.tar\.gz: .*2 folders at its top, wanted one"):
        unpack_in(tmp_path, archive)


def test_what_is_no_archive_and_what_is_no_kernel_is_refused_by_name(tmp_path):
    write(tmp_path / "noise.tar.gz", "noise")
    with pytest.raises(ValueError, match=r"--source .*noise\.tar\.gz: cannot be unpacked: "):
        unpack_in(tmp_path, tmp_path / "noise.tar.gz")
    write(tmp_path / "other/Makefile", "all:\n")
    with pytest.raises(ValueError, match=r"--source .*other: no Makefile of a Linux kernel"):
        source.identity(tmp_path / "other")
    with pytest.raises(ValueError, match=r"--source .*other\.tar\.gz: no Makefile of a Linux kernel"):
        unpack_in(tmp_path, pack(tmp_path / "other.tar.gz", tmp_path / "other"))


def test_the_version_is_the_makefiles(tmp_path):
    assert source.version(make_tree(tmp_path)) == "6.12.117"
