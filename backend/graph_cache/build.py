"""From a graph to a loaded kernel: out of the cache, or compiled, tried and kept."""

from __future__ import annotations

import ctypes
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from chainbeasts.backend.cache import ScratchFolder
from chainbeasts.backend.graph_cache.compilers import (
    FLAGS,
    Compiler,
    CompilerError,
    find_compiler,
    no_compiler,
)
from chainbeasts.backend.graph_cache.objects import CachedObject, CacheError, ObjectCache, Variation
from chainbeasts.backend.graph_cache.selftest import agrees_with_reference
from chainbeasts.backend.graph_cache.targets import Target, this_target
from chainbeasts.backend.kernel.native.abi import ForeignObjectError, NativeKernel
from chainbeasts.backend.kernel.native.graph import MAIN, Graph, source

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Built:
    """A kernel that is loaded.

    Attributes:
        object: where it is kept; None if the cache could not take it.
        compiled: whether it had to be compiled now.
    """

    kernel: NativeKernel
    object: CachedObject | None
    compiled: bool


def build(
    graph: Graph,
    cache: ObjectCache | None = None,
    target: Target | None = None,
    compiler: Compiler | None = None,
) -> Built:
    """The compiled kernel of a graph.

    Args:
        cache: the project's if None. One that cannot be written is done without.
        target: this machine's best if None.
        compiler: the first that is found if None; without any, an object that somebody else
            compiled for this target serves.

    Raises:
        CompilerError: no object and no compiler, or the compiler fails or miscompiles.
    """
    cache, target = cache or _open_cache(), target or this_target()
    compiler = compiler or find_compiler()
    texts = source(graph)
    found = _find(graph, texts, cache, target, compiler)
    if found is not None:
        return found
    if compiler is None:
        raise CompilerError(*no_compiler())
    variation = _variation(graph, texts, target, compiler)
    if cache is None:
        return _compile(None, variation, graph, texts, target, compiler)
    with cache.lock(variation.digest):
        found = _from_cache(cache, variation, graph)  # another process may have made it meanwhile
        return found or _compile(cache, variation, graph, texts, target, compiler)


def find_kept(graph: Graph) -> Built | None:
    """The kernel of a graph, if this machine's cache has it."""
    return _find(graph, source(graph), _open_cache(), this_target(), find_compiler())


def _find(
    graph: Graph,
    texts: dict[str, str],
    cache: ObjectCache | None,
    target: Target,
    compiler: Compiler | None,
) -> Built | None:
    if cache is None:
        return None
    if compiler is not None:
        return _from_cache(cache, _variation(graph, texts, target, compiler), graph)
    found = cache.find_for(graph.name, _digest(texts), target.name)
    return _load(cache, found, graph) if found else None


def _variation(
    graph: Graph, texts: dict[str, str], target: Target, compiler: Compiler
) -> Variation:
    flags = (*FLAGS, *target.flags)
    return Variation(graph.name, _digest(texts), compiler.version, flags, target.name)


def _digest(texts: dict[str, str]) -> str:
    """SHA-256 of a graph's source, hex."""
    return hashlib.sha256("\0".join(f"{n}\0{texts[n]}" for n in sorted(texts)).encode()).hexdigest()


def _open_cache() -> ObjectCache | None:
    try:
        return ObjectCache()
    except CacheError as error:
        log.warning("no kernel cache", reason=error.message, do=error.hint)
        return None


def _from_cache(cache: ObjectCache, variation: Variation, graph: Graph) -> Built | None:
    kept = cache.find(variation.digest)
    return _load(cache, kept, graph) if kept else None


def _load(cache: ObjectCache, kept: CachedObject, graph: Graph) -> Built | None:
    try:
        kernel = NativeKernel(ctypes.CDLL(str(kept.path)), graph)
    except (OSError, ForeignObjectError) as error:
        log.warning("a cached kernel is not used", digest=kept.digest[:16], reason=str(error))
        return None
    cache.count_hit(kept.digest)
    return Built(kernel, kept, compiled=False)


def _compile(
    cache: ObjectCache | None,
    variation: Variation,
    graph: Graph,
    texts: dict[str, str],
    target: Target,
    compiler: Compiler,
) -> Built:
    """Compile, try and keep a kernel, in a folder of temporary files.

    Where such files may not be executed (a TMPDIR mounted ``noexec``), the cache's folder serves.

    Raises:
        CompilerError: the compiler fails or miscompiles, or no folder is there to load it from.
    """
    places = [None, cache.folder] if cache is not None and cache.is_ours_alone() else [None]
    refused: list[str] = []
    for place in places:
        try:
            with ScratchFolder("kernel", place) as scratch:
                kernel, data = _made(scratch.path, graph, texts, target, compiler)
        except OSError as error:
            # Without the path, which the loader's error begins with: it is another one every time.
            reason = error.strerror or str(error).rpartition(": ")[2]
            refused.append(f"{place or tempfile.gettempdir()}: {reason}")
            continue
        log.info("compiled a kernel", graph=graph.name, target=target.name)
        return Built(kernel, _keep(cache, variation, data), compiled=True)
    raise CompilerError(
        f"A compiled kernel cannot be loaded from any folder ({'; '.join(refused)}).",
        "Set TMPDIR to a folder with room that is not mounted noexec, and CC to a C compiler.",
    )


def _made(
    folder: Path, graph: Graph, texts: dict[str, str], target: Target, compiler: Compiler
) -> tuple[NativeKernel, bytes]:
    """The kernel, loaded from where it was compiled: nobody else can write there; and its bytes.

    Raises:
        CompilerError: the compiler fails or miscompiles.
        OSError: the folder is full, or nothing in it may be executed.
    """
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    output = folder / "kernel.so"
    compiler.compile(folder / MAIN, target.flags, output)
    try:
        data = output.read_bytes()
    except FileNotFoundError:
        data = b""
    if not data:
        raise CompilerError(
            f"{compiler.command[0]} wrote nothing, and said that all was well.",
            "See that CC names a C compiler.",
        )
    try:
        kernel = NativeKernel(ctypes.CDLL(str(output)), graph)
    except ForeignObjectError as error:
        raise CompilerError(f"What {compiler.command[0]} wrote is no kernel: {error}.") from None
    if not agrees_with_reference(kernel):
        raise CompilerError(
            f"What {compiler.version} made of the kernel does not agree with the reference.",
            "Use another compiler: set CC, or pip install ziglang",
        )
    return kernel, data


def _keep(cache: ObjectCache | None, variation: Variation, data: bytes) -> CachedObject | None:
    if cache is None:
        return None
    try:
        return cache.put(variation, data)
    except CacheError as error:
        log.warning("the compiled kernel is not kept", reason=error.message)
        return None
