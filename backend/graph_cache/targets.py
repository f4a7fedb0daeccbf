"""What a kernel is compiled for: never this very CPU, so that machines can share objects."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

import numpy as np

PORTABLE_DEFINE = "-DCHAINBEASTS_PORTABLE"


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of CPU and system.

    Attributes:
        name: system, architecture and vector extension, like ``linux-x86_64-avx2``.
        flags: what the compiler is told about it.
    """

    name: str
    flags: tuple[str, ...] = ()


def _cpu_features() -> set[str]:
    """Vector extensions of this CPU, as NumPy found them when it started."""
    config: Any = np.show_config(mode="dicts")
    extensions = config.get("SIMD Extensions", {})
    return {*extensions.get("baseline", []), *extensions.get("found", [])}


def portable_target() -> Target:
    """Plain C for this system and architecture."""
    base = f"{platform.system()}-{platform.machine()}".lower()
    return Target(f"{base}-portable", (PORTABLE_DEFINE,))


def this_target() -> Target:
    """The best that this machine can run."""
    base = f"{platform.system()}-{platform.machine()}".lower()
    # NumPy names the x86-64 level that has AVX2 X86_V3, and older releases name the extension
    if platform.machine().lower() in ("x86_64", "amd64") and _cpu_features() & {"AVX2", "X86_V3"}:
        return Target(f"{base}-avx2", ("-mavx2",))
    return portable_target()
