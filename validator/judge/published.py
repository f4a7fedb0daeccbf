"""Judges the plausibility of private windows whose two states are published, each window once."""

from __future__ import annotations

from collections import OrderedDict

import structlog

from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.plausibility import PublishedWindow, objection
from chainbeasts.validator.judge.states import StateProvider

log = structlog.get_logger()

MOST_WINDOWS = 16_384
"""Windows whose objection is remembered."""


class PublishedWindows:
    """What speaks against published private windows.

    Args:
        states: where the states of a window's ends are found; none is computed for this.
    """

    def __init__(self, states: StateProvider) -> None:
        self._states = states
        self._found: OrderedDict[bytes, str] = OrderedDict()

    def objection(self, case: Case) -> str:
        """What speaks against a case; empty if nothing does, or a state is not at hand."""
        known = self._found.get(case.digest)
        if known is not None:
            return known
        window = self._window(case)
        if window is None:
            return ""  # asked again: a state may be published later
        found = self._found[case.digest] = objection(window)
        if len(self._found) > MOST_WINDOWS:
            self._found.popitem(last=False)
        if found:
            log.warning("implausible", beast=case.beast_id, checkpoint=case.index, why=found)
        return found

    def _window(self, case: Case) -> PublishedWindow | None:
        checkpoint = case.checkpoint
        after = self._states.find(checkpoint.payload.h128)
        if case.index == 0:
            before = genesis_state(case.beast_id, case.dna)
        else:
            found = self._states.find(checkpoint.parent)
            if found is None:
                return None
            before = found
        if after is None:
            return None
        season = self._states.reader.season(checkpoint.season)
        return PublishedWindow(
            case.beast_id,
            checkpoint,
            case.parent_hash,
            before,
            after,
            season.schedule.heads(checkpoint.payload.epoch),
            season.rules,
        )
