"""The C source of one graph: fixed text, and a header with its sizes, awake columns and tables."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from chainbeasts.backend.kernel.constants import (
    APPENDAGE_SLOTS,
    APPENDAGE_UNITS,
    LAYERS,
    SENSOR_SLOTS,
    SENSOR_UNITS,
)
from chainbeasts.backend.kernel.tables import EXP, KERNEL_ID, TEMPLATES

BLOCK = 16
"""Columns that are computed together; a slot's units are one or two blocks."""

PARTS = (
    "lanes.h",
    "board.h",
    "teacher.h",
    "lessons.h",
    "combat.h",
    "samples.h",
    "layers_portable.h",
    "layers_avx2.h",
    "layers_avx512.h",
    "network.h",
    "keccak_f.h",
    "keccak.h",
    "merkle.h",
    "state.h",
    "match.h",
    "replay.h",
    "kernel.c",
)
MAIN = "kernel.c"
HEADER = "graph.h"


@dataclass(frozen=True, slots=True)
class Graph:
    """A network that is compiled for: the protocol's layers with some slots awake.

    Attributes:
        active_mask: uint8; columns of dormant slots are left out of the object, which serves any
            brain that wakes none of them.

    Raises:
        ValueError: the mask is no uint8.
    """

    active_mask: int

    def __post_init__(self) -> None:
        if not 0 <= self.active_mask < 1 << 8:
            raise ValueError(f"mask {self.active_mask} is not a uint8")

    def check(self, mask: int, what: str) -> None:
        """Whether a brain's slots are of this graph.

        Raises:
            ValueError: it wakes another one; ``what`` it is.
        """
        if mask & ~self.active_mask:
            raise ValueError(
                f"{what} with mask {mask:#04x} on the kernel of {self.active_mask:#04x}"
            )

    @property
    def name(self) -> str:
        """Names the graph and the kernel's rules; an object tells it when it is loaded."""
        sizes = "x".join(map(str, LAYERS))
        return f"{sizes}/{self.active_mask:02x}/{KERNEL_ID.hex()[:16]}"


def source(graph: Graph) -> dict[str, str]:
    """The files of a graph's C source by name; ``MAIN`` is compiled and includes the rest."""
    folder = resources.files("chainbeasts.backend.kernel.native").joinpath("source")
    texts = {part: folder.joinpath(part).read_text("utf-8") for part in PARTS}
    return {**texts, HEADER: _header(graph)}


def _header(graph: Graph) -> str:
    mask = graph.active_mask
    sensors = [s for s in range(SENSOR_SLOTS) if mask >> s & 1]
    appendages = [k for k in range(APPENDAGE_SLOTS) if mask >> (SENSOR_SLOTS + k) & 1]
    columns = {
        1: [SENSOR_UNITS * s + part for s in sensors for part in range(0, SENSOR_UNITS, BLOCK)],
        2: list(range(0, LAYERS[2], BLOCK)),
        3: [APPENDAGE_UNITS * k for k in appendages],
    }
    lines = ["/* Generated for one graph. */", f'#define GRAPH_NAME "{graph.name}"']
    lines += [f"#define GRAPH_MASK {mask}u"]
    lines += [f"#define L{i} {units}" for i, units in enumerate(LAYERS)]
    lines += [f"#define HIDDEN_MAX {max(LAYERS)}"]
    lines += [f"#define SENSOR_SLOTS {SENSOR_SLOTS}", f"#define SENSOR_UNITS {SENSOR_UNITS}"]
    lines += [f"#define APPENDAGE_SLOTS {APPENDAGE_SLOTS}"]
    lines += [f"#define APPENDAGE_UNITS {APPENDAGE_UNITS}"]
    for layer, blocks in columns.items():
        # C has no empty array; one that is never read stands for it
        listed = ", ".join(map(str, blocks or [0]))
        lines += [f"#define A{layer}_COUNT {len(blocks)}", f"#define A{layer}_BLOCKS {listed}"]
    lines += _table("static const uint8_t KERNEL_ID[32]", [f"0x{byte:02x}" for byte in KERNEL_ID])
    lines += _table("static const uint16_t EXP[256]", [str(value) for value in EXP])
    indices = [
        sum(i << (8 * n) for n, i in enumerate(i for i in range(8) if byte >> i & 1))
        for byte in range(256)
    ]
    lines += ["/* Indices of a byte's set bits, one to a byte. */"]
    lines += _table("static const uint64_t SET_BITS[256]", [f"0x{value:016x}" for value in indices])
    boards = [f"{{0x{walls:016x}, 0x{hazards:016x}}}" for walls, hazards in TEMPLATES]
    lines += _table("static const uint64_t TEMPLATES[64][2]", boards)
    return "\n".join(lines) + "\n"


def _table(declaration: str, values: list[str]) -> list[str]:
    rows = [", ".join(values[start : start + 8]) for start in range(0, len(values), 8)]
    return [declaration + " = {", *(f"    {row}," for row in rows), "};"]
