"""Micro-steps for tests that are about something else, by the kernel that trainers use.

It takes a hundredth of the reference's time. That the two agree is what tests/native is about; that
the contracts agree with the reference, tests/evm_kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernel.window import WindowContext
from chainbeasts.backend.kernels import kernel_for

Tamper = Callable[[State], None]


def advance(
    context: WindowContext, state: State, steps: int, words: Sequence[int] | None = None
) -> None:
    """Run steps on a state, in place; ``words`` are what the window's source reads."""
    records = tuple(words) if words else None
    kernel_for(state.header.active_mask).run(context, state, steps, records)


def segment_ends(
    context: WindowContext,
    state: State,
    words: Sequence[int] | None = None,
    tamper: tuple[int, Tamper] | None = None,
    begun: int = 0,
) -> list[State]:
    """The states at the ends of a window's segments; ``state`` is run to the last of them.

    Args:
        tamper: after that many steps of the window, change the state so.
        begun: steps that were made before, a whole number of segments.
    """
    ends = []
    for end in range(begun + SEGMENT_STEPS, WINDOW_STEPS + 1, SEGMENT_STEPS):
        done = end - SEGMENT_STEPS
        if tamper is not None and done < tamper[0] <= end:
            advance(context, state, tamper[0] - done, words)
            tamper[1](state)
            done = tamper[0]
        advance(context, state, end - done, words)
        ends.append(state.copy())
    return ends
