"""A build happens once, goes on where it was interrupted, and says why it stopped. No kernel is built."""

import shutil

import pytest

from experiments.kernel_lab import build, cache, change, compiling, requirements, source
from tests.kernel_lab.kernel_tree import MAKEFILE, contents, make_tree, write

# Answers to the targets of a kernel's Makefile; every compilation leaves a line in compiled.txt.
TARGETS = """
tinyconfig:
\t@echo '# CONFIG_UNKNOWN is not set' > $(O)/.config
olddefconfig:
\t@true
bzImage: $(O)/a.o $(O)/b.o
\t@mkdir -p $(O)/arch/x86/boot && cat $^ > $(O)/arch/x86/boot/bzImage
$(O)/%.o:
\t@echo "  CC      $*.o"
\t@if test -e $(O)/../broken-$*; then echo "$*.c:1: error: broken"; exit 1; fi
\t@echo $* >> $(O)/../compiled.txt; echo $* > $@
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    if not (shutil.which("make") and shutil.which("tar")):
        pytest.skip("needs make and tar")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(requirements, "PROGRAMS", {})
    monkeypatch.setattr(requirements, "HEADERS", {})
    monkeypatch.setattr(build, "COMPILER", "make")  # asked for its version only
    tree = make_tree(tmp_path / "linux")
    write(tree / "Makefile", MAKEFILE + TARGETS)
    return tree


def compiled():
    path = cache.folder() / "compiled.txt"
    return path.read_text().split() if path.exists() else []


def break_object(name):
    write(cache.folder() / f"broken-{name}", "")


def mend_object(name):
    (cache.folder() / f"broken-{name}").unlink()


def test_the_image_is_of_the_changed_source_and_says_what_it_is_made_of(tree):
    given = contents(tree)
    image = build.build(tree, 1)
    assert image == build.image() == cache.image()
    assert image.read_text() == "a\nb\n"
    assert "reclaim_lab_progress" in (cache.tree() / "mm/vmscan.c").read_text()
    assert contents(tree) == given
    made = build.manifest()
    assert (made["kernel"], made["licence"]) == ("6.12.117", "GPL-2.0-only")


def test_nothing_is_built_twice(tree):
    build.build(tree, 1)
    build.build(tree, 1)
    assert compiled() == ["a", "b"]


@pytest.mark.parametrize("what", ["source", "change", "config"])
def test_another_source_change_or_configuration_is_built_from_nothing(tree, tmp_path, monkeypatch, what):
    build.build(tree, 1)
    if what == "source":
        write(tree / "mm/new.c", "")
    elif what == "change":
        monkeypatch.setattr(change, "fingerprint", lambda: "another")
    else:
        write(tmp_path / "fragment", "CONFIG_64BIT=y\n")
        monkeypatch.setattr(build, "FRAGMENT", tmp_path / "fragment")
    if what != "source":
        with pytest.raises(ValueError, match="another change or configuration: run `reclaim kernel build`"):
            build.image()
    build.build(tree, 1)
    assert compiled() == ["a", "b"] * 2


def test_an_interrupted_build_keeps_what_is_compiled(tree):
    cache.folder().mkdir(parents=True)
    break_object("b")
    with pytest.raises(ValueError, match="make bzImage failed with 2"):
        build.build(tree, 1)
    with pytest.raises(ValueError, match="no lab kernel in the cache folder: run `reclaim kernel build`"):
        build.image()
    mend_object("b")
    build.build(tree, 1)
    assert compiled() == ["a", "b"]


def test_a_failure_shows_the_compilers_last_lines(tree, capsys):
    cache.folder().mkdir(parents=True)
    break_object("a")
    with pytest.raises(ValueError, match="make bzImage failed"):
        build.build(tree, 1)
    assert "a.c:1: error: broken" in capsys.readouterr().err
    assert "a.c:1: error: broken" in cache.log().read_text()


def test_a_refused_source_leaves_the_image_and_its_tree(tree, tmp_path):
    build.build(tree, 1)
    before = contents(cache.folder())
    later = make_tree(tmp_path / "later")
    write(later / "mm/vmscan.c", "")
    with pytest.raises(ValueError, match=r"mm/vmscan\.c: anchor .* found 0 times"):
        build.build(later, 1)
    assert contents(cache.folder()) == before
    assert build.image() == cache.image()


def test_an_option_the_source_does_not_take_is_named(tree, tmp_path, monkeypatch):
    write(tree / "Makefile", MAKEFILE + TARGETS.replace("@true", "@echo CONFIG_LRU_GEN=y > $(O)/.config"))
    write(
        tmp_path / "fragment", "# why\nCONFIG_64BIT=y\n# CONFIG_LRU_GEN is not set\n# CONFIG_NEW is not set\n"
    )
    monkeypatch.setattr(build, "FRAGMENT", tmp_path / "fragment")
    refused = "fragment: this kernel source does not take CONFIG_64BIT=y, # CONFIG_LRU_GEN is not set$"
    with pytest.raises(ValueError, match=refused):
        build.build(tree, 1)


def test_progress_counts_each_object_once_and_those_of_an_interrupted_build(tree, monkeypatch, capsys):
    monkeypatch.setattr(compiling, "OBJECTS", 2)
    cache.folder().mkdir(parents=True)
    break_object("b")
    with pytest.raises(ValueError, match="make bzImage failed"):
        build.build(tree, 1)
    mend_object("b")
    assert "50 %" in capsys.readouterr().err
    build.build(tree, 1)
    assert "50 %" not in (said := capsys.readouterr().err) and "100 %" in said


def test_two_builds_do_not_share_the_folder(tree):
    with cache.locked(), pytest.raises(ValueError, match="another kernel build is under way"):
        build.build(tree, 1)
    assert not compiled()


def test_an_image_without_its_manifest_does_not_count(tree):
    build.build(tree, 1)
    cache.manifest().unlink()
    with pytest.raises(ValueError, match="no lab kernel"):
        build.image()


def test_a_manifest_never_vouches_for_another_image(tree, monkeypatch):
    build.build(tree, 1)
    write(tree / "mm/new.c", "")
    with monkeypatch.context() as killed:
        killed.setattr(build, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            build.build(tree, 1)
    with pytest.raises(ValueError, match="no lab kernel"):
        build.image()


def test_jobs_below_one_are_refused(tree):
    with pytest.raises(ValueError, match=r"--jobs: found 0, wanted at least 1"):
        build.build(tree, 0)


def test_what_is_missing_is_one_command_to_install(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(source, "INSTALLED", tmp_path)
    monkeypatch.setattr(requirements, "HEADERS", {"no/such/header.h": "libelf-dev", "stdio.h": "libc6-dev"})
    monkeypatch.setattr(requirements, "PROGRAMS", {"gcc": "gcc", "no-such-program": "bison"})
    with pytest.raises(ValueError, match=r": apt install linux-source-6\.12 bison libelf-dev$"):
        requirements.require(None)
    with pytest.raises(ValueError, match=r": apt install bison libelf-dev$"):
        requirements.require(tree)


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"--source .*nowhere: found nothing there"):
        requirements.require(tmp_path / "nowhere")


def test_the_cache_follows_the_users_wish(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "reclaim-env" / "kernel"
