"""What a kernel is compiled for: never this very CPU, so that machines can share objects."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

import numpy as np

PORTABLE_DEFINE = "-DCHAINBEASTS_PORTABLE"
AVX512 = ("f", "bw", "dq", "vl", "vbmi", "vbmi2", "vnni")


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


def vector_targets() -> list[Target]:
    """What this machine can run besides plain C, the best first."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return []
    base, features = f"{platform.system()}-{platform.machine()}".lower(), _cpu_features()
    found = []
    # Ice Lake's set, which Zen 4 has too, is the first that has both VNNI and the byte shuffles.
    if "AVX512_ICL" in features:
        found.append(Target(f"{base}-avx512", tuple(f"-mavx512{part}" for part in AVX512)))
    # NumPy names the x86-64 level that has AVX2 X86_V3, and older releases name the extension
    if features & {"AVX2", "X86_V3"}:
        found.append(Target(f"{base}-avx2", ("-mavx2",)))
    return found


def this_target() -> Target:
    """The best that this machine can run."""
    return next(iter(vector_targets()), portable_target())
