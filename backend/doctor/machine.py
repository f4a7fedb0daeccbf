"""Checks of this machine: the kernel, its cache, and room on the disks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chainbeasts.backend.doctor.report import Check, failed, ok, warning
from chainbeasts.backend.graph_cache.build import build
from chainbeasts.backend.graph_cache.compilers import INSTALL_HINT, CompilerError, find_compiler
from chainbeasts.backend.graph_cache.objects import ObjectCache
from chainbeasts.backend.graph_cache.selftest import agrees_with_reference
from chainbeasts.backend.graph_cache.tiered import EVERY_SLOT
from chainbeasts.backend.kernel.native.graph import Graph
from chainbeasts.backend.kernels import CHOICE, chosen

MIN_BYTES, FEW_BYTES = 100 << 20, 1 << 30


def check_kernel() -> Iterator[Check]:
    """The compiled kernel gives the reference's bits, or why windows run on the reference."""
    name, choice = "kernel", chosen()
    found = find_compiler()
    compiler = f"the compiler is {found.version}" if found else "there is no compiler"
    if choice == "numpy":
        do = f"Unset {CHOICE} to use the compiled kernel."
        yield warning(name, f"{CHOICE}=numpy: windows run on the slow reference; {compiler}.", do)
        return
    try:
        kernel = build(Graph(EVERY_SLOT)).kernel
    except CompilerError as error:
        report = failed if choice == "native" else warning
        yield report(
            name, f"Windows run on the slow reference: {error.message}", error.hint or INSTALL_HINT
        )
        return
    if agrees_with_reference(kernel):
        yield ok(name, f"The compiled kernel is in use and agrees with the reference; {compiler}.")
    else:
        do = "Run `chainbeasts cache clear`; until then set CHAINBEASTS_KERNEL=numpy."
        yield failed(name, "The compiled kernel does not agree with the reference.", do)


def check_cache() -> Iterator[Check]:
    """The folder of compiled kernels can be written, and every object is as recorded."""
    name, cache = "cache", ObjectCache()
    problem = _unwritable(cache.folder)
    if problem:
        do = "Give it to the daemon's user, or set HARMONICS_CACHE_DIR to another folder."
        yield warning(name, f"{cache.folder} cannot be written: {problem}.", do)
    objects = sorted(path.stem for path in cache.folder.glob("*.so"))
    refused = {digest: cache.refusal(digest) for digest in objects}
    bad = [f"{digest[:12]}: {reason}" for digest, reason in refused.items() if reason]
    if bad:
        do = "They are not used. Remove them with `chainbeasts cache clear`."
        yield warning(name, f"{len(bad)} of {len(objects)} kernels refused: {'; '.join(bad)}.", do)
    elif not problem:
        yield ok(name, f"{cache.folder} can be written; {len(objects)} kernels are as recorded.")


def check_disk(home: Path) -> Iterator[Check]:
    """Free space where the home and the cache lie."""
    for name, folder in (("disk of home", home), ("disk of cache", ObjectCache().folder)):
        free = shutil.disk_usage(_existing(folder)).free
        found = f"{free / (1 << 30):.1f} GiB are free at {folder}."
        if free < MIN_BYTES:
            yield failed(name, found, "Make room: a daemon that cannot write cannot act.")
        elif free < FEW_BYTES:
            yield warning(name, found, "Make room before it is full.")
        else:
            yield ok(name, found)
    problem = _unwritable(_existing(home))
    if problem:
        yield failed("home", f"{home} cannot be written: {problem}.", "Name another with --home.")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if path.exists())


def _unwritable(folder: Path) -> str:
    """Why nothing can be written into a folder; empty if it can."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return "permission denied"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
    except OSError as error:
        return error.strerror or str(error)
    return ""
