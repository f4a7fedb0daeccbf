"""States, windows and their hashes, as docs/spec describes them: the reference, in NumPy.

``kernel_for`` gives the fastest kernel of this machine, which computes the same bits.
"""

from __future__ import annotations

from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import Header, State, decode_state, encode_state, state_hash
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.kernel.window import (
    StepTrace,
    WindowContext,
    genesis_hash,
    genesis_state,
    open_window,
    run_window,
    step_window,
)
from chainbeasts.backend.kernels import WindowKernel, kernel_for

__all__ = [
    "KERNEL_ID",
    "Header",
    "Rules",
    "Schedule",
    "Source",
    "State",
    "StepTrace",
    "WindowContext",
    "WindowKernel",
    "decode_state",
    "encode_state",
    "genesis_hash",
    "genesis_state",
    "kernel_for",
    "open_window",
    "run_window",
    "state_hash",
    "step_window",
]
