"""Kernels are compiled once, and nothing is loaded that the cache does not vouch for."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chainbeasts.backend import kernels
from chainbeasts.backend.graph_cache import build as building
from chainbeasts.backend.graph_cache import compilers, objects
from chainbeasts.backend.graph_cache.build import Built, build
from chainbeasts.backend.graph_cache.compilers import Compiler, CompilerError, find_compiler
from chainbeasts.backend.graph_cache.objects import CachedObject, ObjectCache
from chainbeasts.backend.graph_cache.targets import portable_target, this_target
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernels import CHOICE, ReferenceKernel, kernel_for
from tests.support.patience import PATIENCE
from tests.support.stopped import stopped_holder

GRAPH, OTHER = Graph(0x11), Graph(0x13)


@pytest.fixture(scope="module", autouse=True)
def unoptimised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """These tests are about what is kept and loaded, and compile some thirty times."""
    flags = tuple("-O0" if flag == "-O3" else flag for flag in compilers.FLAGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilers, "FLAGS", flags)
        patch.setattr(building, "FLAGS", flags)
        patch.setattr(Compiler, "compile", remembering(tmp_path_factory.mktemp("compiled")))
        yield


def remembering(kept: Path) -> Callable[[Compiler, Path, tuple[str, ...], Path], None]:
    """The compilers' ``compile``, which gives the same bytes for the same text a second time."""
    compile_anew = Compiler.compile

    def compile_once(
        self: Compiler, main: Path, target_flags: tuple[str, ...], output: Path
    ) -> None:
        asked = repr((self, target_flags, [p.read_bytes() for p in sorted(main.parent.iterdir())]))
        made = kept / hashlib.sha256(asked.encode()).hexdigest()
        if not made.exists():
            compile_anew(self, main, target_flags, output)
            if not output.exists():
                return
            shutil.copy(output, made)
        shutil.copy(made, output)

    return compile_once


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the objects of two graphs."""
    folder = tmp_path_factory.mktemp("pristine") / "kernels"
    for graph in (GRAPH, OTHER):
        assert build(graph, ObjectCache(folder)).compiled
    return folder


@pytest.fixture
def cache(pristine: Path, tmp_path: Path) -> ObjectCache:
    """A copy to tamper with."""
    return ObjectCache(Path(shutil.copytree(pristine, tmp_path / "kernels")))


def kept(cache: ObjectCache, graph: Graph = GRAPH) -> CachedObject:
    (found,) = [one for one in cache.all() if one.variation.graph == graph.name]
    return found


def refused(cache: ObjectCache) -> str:
    """Why the cache does not give the graph's object; it must then be compiled again."""
    with capture_logs() as logs:
        built = build(GRAPH, cache)
    assert built.compiled
    (reason,) = {entry["reason"] for entry in logs if "is not used" in entry["event"]}
    return str(reason)


def test_only_a_new_variation_is_compiled(cache: ObjectCache) -> None:
    first = build(GRAPH, cache)
    assert not first.compiled
    assert kept(cache).hits == 1
    assert not build(GRAPH, cache).compiled
    assert kept(cache).hits == 2
    plain = build(GRAPH, cache, target=portable_target())
    assert plain.compiled
    assert plain.object is not None
    assert plain.object.variation.target == portable_target().name
    assert len(cache.all()) == 3
    assert not build(GRAPH, cache).compiled, "another target's object took its place"


def test_a_stopped_process_that_compiles_holds_nobody_up(
    cache: ObjectCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "COMPILE_SECONDS", 1.0)
    digest = kept(cache).digest
    cache.clear()
    with stopped_holder(cache.folder / f"{digest}.lock"):
        assert build(GRAPH, cache).compiled
        assert not build(GRAPH, cache).compiled


def test_a_changed_object_is_never_loaded(cache: ObjectCache) -> None:
    path = kept(cache).path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert refused(cache) == "it is not as recorded"
    path.write_bytes(path.read_bytes()[:-100])
    assert refused(cache) == "it is not as recorded"
    path.write_bytes(b"")
    assert refused(cache) == "it is not as recorded"


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_an_object_without_its_record_is_never_loaded(cache: ObjectCache, text: str | None) -> None:
    record = kept(cache).path.with_suffix(".json")
    if text is None:
        record.unlink()
    else:
        record.write_text(text)
    assert refused(cache) == "it has no readable record"


def test_an_object_with_anothers_record_is_never_loaded(cache: ObjectCache) -> None:
    path, other = kept(cache).path, kept(cache, OTHER).path
    path.with_suffix(".json").write_text(other.with_suffix(".json").read_text())
    path.write_bytes(other.read_bytes())
    assert refused(cache) == "its record is another object's"


@pytest.mark.parametrize("kind", ["another graph's", "another library", "no library"])
def test_a_foreign_object_is_never_called(cache: ObjectCache, tmp_path: Path, kind: str) -> None:
    """Even where the record vouches for it: an object says itself what it is."""
    data, reason = b"no library", "kernels/"
    if kind == "another graph's":
        data, reason = kept(cache, OTHER).path.read_bytes(), OTHER.name
    if kind == "another library":
        text, library = tmp_path / "nothing.c", tmp_path / "nothing.so"
        text.write_text("int nothing;")
        subprocess.run([*machines().command, "-shared", "-o", library, text], check=True)
        data, reason = library.read_bytes(), "it is no kernel"
    cache.put(kept(cache).variation, data)
    assert reason in refused(cache)


@pytest.mark.parametrize("name", ["folder", "object", "record"])
def test_what_others_can_write_is_never_loaded(cache: ObjectCache, name: str) -> None:
    path = kept(cache).path
    target = {"folder": cache.folder, "object": path, "record": path.with_suffix(".json")}[name]
    target.chmod(target.stat().st_mode | 0o002)
    assert "can be written by others" in refused(cache)


def test_a_link_is_never_followed(cache: ObjectCache, tmp_path: Path) -> None:
    path = kept(cache).path
    elsewhere = path.rename(tmp_path / "elsewhere.so")
    path.symlink_to(elsewhere)
    assert "is a link" in refused(cache)


def test_two_processes_compile_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from chainbeasts.backend.graph_cache import objects\n"
        "from chainbeasts.backend.graph_cache.build import build\n"
        "from chainbeasts.backend.graph_cache.objects import ObjectCache\n"
        "from chainbeasts.backend.kernel.native.graph import Graph\n"
        f"objects.COMPILE_SECONDS = {PATIENCE}\n"
        "print(build(Graph(0x11), ObjectCache(Path(sys.argv[1]))).compiled)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "kernels")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = sorted(process.communicate()[0].splitlines()[-1] for process in started)
    assert told == ["False", "False", "True"]


def test_an_object_from_elsewhere_serves_where_there_is_no_compiler(
    cache: ObjectCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = kept(cache)
    theirs = replace(one.variation, compiler="their compiler 1.0")
    data = one.path.read_bytes()
    cache.clear()
    cache.put(theirs, data)
    monkeypatch.setattr(building, "find_compiler", lambda: None)
    assert not build(GRAPH, cache).compiled
    with pytest.raises(CompilerError, match="no C compiler") as error:
        build(OTHER, cache)
    assert "ziglang" in error.value.hint
    with pytest.raises(CompilerError):
        build(GRAPH, cache, target=portable_target())


def machines() -> Compiler:
    """The machine's compiler."""
    found = find_compiler()
    assert found is not None
    return found


def wrapper(folder: Path, body: str) -> Compiler:
    """The machine's compiler behind a script."""
    script = folder / "cc"
    script.write_text(f'#!/bin/sh\n{body}\nexec {shlex.join(machines().command)} "$@"\n')
    script.chmod(0o755)
    return Compiler((str(script),), "a wrapper")


def test_a_miscompiled_kernel_is_not_kept(cache: ObjectCache, tmp_path: Path) -> None:
    wrong = wrapper(tmp_path, "sed -i.bak 's/define SHIFT 12/define SHIFT 11/' network.h")
    before = cache.all()
    with pytest.raises(CompilerError, match="does not agree with the reference"):
        build(GRAPH, cache, compiler=wrong)
    assert cache.all() == before


def test_a_failing_compiler_is_quoted(cache: ObjectCache, tmp_path: Path) -> None:
    with pytest.raises(CompilerError, match="error: out of luck"):
        build(
            GRAPH,
            cache,
            compiler=wrapper(tmp_path, "echo 'x.c:1: error: out of luck' >&2; exit 1"),
        )


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """Compiled every time, but native all the same."""
    folder = tmp_path / "kernels"
    cache = ObjectCache(folder)
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with capture_logs() as logs:
        built = build(GRAPH, cache)
    assert built.compiled
    assert built.object is None
    assert "not kept" in " ".join(entry["event"] for entry in logs)


def test_without_a_compiler_the_reference_serves_and_says_so_once(tmp_path: Path) -> None:
    program = (
        "from chainbeasts.backend.kernels import kernel_for\n"
        "print(type(kernel_for(0x11)).__name__, type(kernel_for(0x13)).__name__)"
    )
    environment = {
        **os.environ,
        "PATH": str(tmp_path),
        "CC": str(tmp_path / "cc"),
        "HARMONICS_CACHE_DIR": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines() + done.stderr.splitlines()
    assert "ReferenceKernel ReferenceKernel" in lines
    (warning,) = [line for line in lines if "NumPy reference" in line]
    assert "ziglang" in warning


@pytest.fixture
def noexec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files from which nothing may be loaded, as mounted ``noexec``."""
    folder = tmp_path / "noexec"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    load = ctypes.CDLL

    def refuse(path: str) -> ctypes.CDLL:
        if folder in Path(path).parents:
            raise OSError(f"{path}: failed to map segment from shared object")
        return load(path)

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    return folder


def test_temporary_files_that_may_not_be_executed_do_no_harm(
    cache: ObjectCache, noexec: Path
) -> None:
    cache.clear()
    built = build(GRAPH, cache)
    assert built.compiled
    assert built.object is not None
    assert list(noexec.iterdir()) == []
    assert {path.suffix for path in cache.folder.iterdir()} == {".so", ".json", ".lock"}
    with pytest.raises(CompilerError, match="failed to map segment") as error:
        built = build(OTHER, ObjectCache(noexec / "kernels"))
    assert "noexec" in error.value.hint


def test_where_nothing_may_be_executed_the_reference_serves(
    noexec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one warning, instead of an error that a daemon takes for a full disk."""
    monkeypatch.setenv("HARMONICS_CACHE_DIR", str(noexec / "cache"))
    monkeypatch.setenv(CHOICE, "auto")
    kernels._kernel.cache_clear()
    kernels._warn.cache_clear()
    with capture_logs() as logs:
        served = [kernel_for(0x12), kernel_for(0x13)]
    kernels._kernel.cache_clear()
    kernels._warn.cache_clear()
    assert all(isinstance(one, ReferenceKernel) for one in served)
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert "failed to map segment" in warning["reason"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("true", "wrote nothing"),
        ('gcc "', "no C compiler that answers"),
        ("/nowhere/my compiler", "no C compiler that answers"),
        ("   ", "no C compiler that answers"),
    ],
)
def test_a_strange_compiler_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, said: str
) -> None:
    monkeypatch.setenv("CC", given)
    monkeypatch.setattr(building, "find_compiler", find_compiler.__wrapped__)
    with pytest.raises(CompilerError, match=said) as error:
        build(GRAPH, ObjectCache(tmp_path / "kernels"))
    assert error.value.message.endswith(".")
    assert "CC" in error.value.hint


def test_a_compiler_whose_path_has_spaces_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my tools"
    folder.mkdir()
    wrapper(folder, "true")
    monkeypatch.setenv("CC", str(folder / "cc"))
    found = find_compiler.__wrapped__()
    assert found is not None
    assert found.command == (str(folder / "cc"),)
    monkeypatch.setenv("CC", f"{shlex.quote(str(folder / 'cc'))} -g0")
    found = find_compiler.__wrapped__()
    assert found is not None
    assert found.command == (str(folder / "cc"), "-g0")


def test_under_a_group_umask_the_cache_serves_its_own_objects(
    cache: ObjectCache, tmp_path: Path
) -> None:
    before = os.umask(0o002)
    try:
        made = ObjectCache(tmp_path / "deep" / "kernels")
        one = kept(cache)
        made.put(one.variation, one.path.read_bytes())
        assert made.refusal(one.digest) is None
    finally:
        os.umask(before)


def test_the_kernel_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOICE, "numpy")
    assert isinstance(kernel_for(0xFF), ReferenceKernel)
    monkeypatch.setenv(CHOICE, "native")
    assert not isinstance(kernel_for(0xFF), ReferenceKernel)
    monkeypatch.setenv(CHOICE, "abacus")
    with pytest.raises(Exception, match="abacus"):
        kernel_for(0xFF)


def test_the_record_says_what_was_compiled(cache: ObjectCache) -> None:
    one = kept(cache)
    record = json.loads(one.path.with_suffix(".json").read_text())
    assert record["compiler"] == machines().version
    assert record["target"] == this_target().name
    assert one.digest == one.variation.digest == one.path.stem


def test_clearing_leaves_nothing(cache: ObjectCache) -> None:
    build(GRAPH, cache)
    assert cache.clear() == 2
    assert list(cache.folder.iterdir()) == []
    assert isinstance(build(GRAPH, cache), Built)
