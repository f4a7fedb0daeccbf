"""How far a beast has come, window by window: in fights with its newborn self, and on boards.

From published states, and from windows computed again where none is published. Keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chainbeasts.backend.battle.gauntlet import Score, both_sides
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.published import published_state
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernel.held_out import held_out
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import State, state_hash
from chainbeasts.backend.kernel.window import genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.trainer.metrics.accuracy import Probe, Tally
from chainbeasts.trainer.train.states import MissingStateError, window_inputs
from chainbeasts.trainer.workspace import TrainerWorkspace


@dataclass(frozen=True, slots=True)
class Terms:
    """What a beast is measured by; the same for every window.

    Attributes:
        seeds: battle seeds, each fought from both sides.
        boards: how many held-out boards.
    """

    rules: Rules
    seeds: Sequence[int]
    boards: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A beast after a window.

    Attributes:
        window: its index; None for the newborn.
        loss: a micro-step of that window; None for the newborn.
        learned: on boards that it never trained on; None where the state cannot be had.
        score: against its newborn self in the same body; None likewise, and for the newborn.
        reason: why the state cannot be had.
    """

    window: int | None
    loss: float | None = None
    learned: Tally | None = None
    score: Score | None = None
    reason: str = ""


def spread(count: int, points: int) -> list[int]:
    """At most that many of ``count`` windows, evenly spaced; the last is always one."""
    if count <= points:
        return list(range(count))
    return sorted({(number + 1) * count // points - 1 for number in range(points)})


def progress(
    workspace: TrainerWorkspace,
    beast_id: int,
    rows: Sequence[CheckpointRow],
    windows: Sequence[int],
    terms: Terms,
    on_window: Callable[[], None] = lambda: None,
) -> Iterator[Standing]:
    """The newborn, then the beast after each of some windows.

    Args:
        rows: its checkpoints from index 0 on.
        windows: ascending indices of rows.
        on_window: called after each.

    Raises:
        ChainBeastsError: ``CHAINBEASTS_KERNEL=native``, and there is none.
    """
    dna = workspace.chain.birth(beast_id).dna
    probe = Probe(held_out(terms.boards, terms.rules), terms.rules)
    state = genesis_state(beast_id, dna)
    newborn, start = Fighter.of(dna, state.copy()), 0
    yield Standing(None, learned=_learned(probe, state))
    for window in windows:
        loss = rows[window].window_loss / WINDOW_STEPS
        try:
            state = _state_after(workspace, rows[start : window + 1], state)
        except MissingStateError as error:
            yield Standing(window, loss, reason=error.message)
        else:
            start = window + 1
            seeds = terms.seeds
            as_a, as_b = both_sides(Fighter.of(dna, state), newborn, seeds, terms.rules)
            yield Standing(window, loss, _learned(probe, state), as_a + as_b)
        on_window()


def _learned(probe: Probe, state: State) -> Tally:
    return probe.tally(state.weights, state.header.active_mask)


def _state_after(
    workspace: TrainerWorkspace, rows: Sequence[CheckpointRow], before: State
) -> State:
    """The state after the last of some consecutive windows.

    Args:
        before: that the first of them starts from.

    Raises:
        MissingStateError: it is not published and cannot be computed.
    """
    state, rest = before, rows
    for position in range(len(rows) - 1, -1, -1):
        found = _published(workspace, rows[position].h128)
        if found is not None:
            state, rest = found, rows[position + 1 :]
            break
    for row in rest:
        state = _computed(workspace, row, state)
    return state


def _published(workspace: TrainerWorkspace, h: bytes) -> State | None:
    found = workspace.snapshots.get(h)
    if found is None:
        with workspace.database.session() as session:
            found = published_state(session, h)
    return found


def _computed(workspace: TrainerWorkspace, row: CheckpointRow, parent: State) -> State:
    try:
        ctx, words = window_inputs(workspace, row)
        state = open_window(parent, row.active_mask)
        kernel_for(row.active_mask).run(ctx, state, records=words)
    except (ChainBeastsError, ValueError) as error:
        raise MissingStateError(f"Window {row.index} cannot be computed again: {error}") from None
    # A window that is wrong and not disproved yet leads to a state that its trainer alone has.
    if state_hash(state) != row.h128:
        raise MissingStateError(f"Window {row.index}, computed again, ends in another state.")
    return state
