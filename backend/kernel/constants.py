"""Sizes that are part of the protocol (docs/spec/network.md §1, docs/spec/state.md)."""

from __future__ import annotations

from typing import Final

LAYERS: Final = (32, 128, 64, 64, 8)
"""Units per layer: inputs, a1, a2, a3, logits."""

WEIGHTS: Final = 16_896
"""Weights of the whole network, which is also ``slabParams``."""

STATE_BYTES: Final = 2 * WEIGHTS
WEIGHT_MIN: Final = -16_384
WEIGHT_MAX: Final = 16_383

SENSOR_SLOTS: Final = 4
APPENDAGE_SLOTS: Final = 4
SENSOR_UNITS: Final = 32
APPENDAGE_UNITS: Final = 16
SENSOR_PARAMS: Final = 3_072
APPENDAGE_PARAMS: Final = 1_152

WINDOW_STEPS: Final = 128
SEGMENT_STEPS: Final = 8
SEGMENTS: Final = WINDOW_STEPS // SEGMENT_STEPS

NULL_LOSS: Final = 4_095
"""What a null step adds to the window's loss: the most a real step can."""

MAX_WINDOW_LOSS: Final = WINDOW_STEPS * NULL_LOSS

MAX_RECORDS: Final = 65_536
"""Most words a private dataset may have."""

HEAD_MOVE: Final = 1
HEAD_ATTACK: Final = 2
HEAD_BLOCK: Final = 4
HEAD_SETS: Final = (1, 3, 7)
