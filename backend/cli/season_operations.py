"""What waits in the timelock, in words and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Group

from chainbeasts.backend.chain.amounts import show_moment
from chainbeasts.backend.chain.calls import DecodedCall
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.seasons import season_table, show_constant
from chainbeasts.backend.chain.timelock import (
    Call,
    Operation,
    call_text,
    decoded,
    scheduler_of,
    season_of,
)
from chainbeasts.backend.chain.types import ZERO32, Season
from chainbeasts.backend.cli.output import fields
from chainbeasts.backend.cli.session import Session


def show_operations(session: Session, operations: list[Operation]) -> None:
    """Print operations that wait."""
    chain = session.chain
    now = chain.now()
    schedulers = [scheduler_of(chain, one.tx_hash) for one in operations]
    values = [_facts(chain, one, by, now) for one, by in zip(operations, schedulers, strict=True)]
    views = [
        fields(f"Operation {one.name}", _view(chain, one, by, now))
        for one, by in zip(operations, schedulers, strict=True)
    ]
    session.show(values, lambda: Group(*views) if views else "Nothing waits in the timelock.")


def _view(chain: Chain, operation: Operation, by: str | None, now: int) -> dict[str, object]:
    return {
        "does": "\n".join(described(chain, operation)),
        "may be executed": show_moment(operation.ready_at, now),
        "scheduled by": by or "not known: the node does not serve the transaction",
    }


def described(chain: Chain, operation: Operation) -> list[str]:
    """What an operation does, a line for each call and each constant that changes."""
    lines = []
    for call, known in zip(operation.calls, decoded(chain, operation), strict=True):
        lines.append(call_text(call, known))
        season = season_of(chain.deployment.addresses, call)
        if season is not None:
            changes = _changes(chain, season)
            lines += [f"  {name} = {show_constant(name, v)}" for name, v in changes.items()]
    if operation.predecessor != ZERO32:
        lines.append(f"only after operation 0x{operation.predecessor.hex()}")
    return lines


def _changes(chain: Chain, season: Season) -> dict[str, Any]:
    """The constants that a season changes against the newest one."""
    current = season_table(chain.season(chain.current_season()))
    return {
        name: value
        for part, values in season_table(season).items()
        for name, value in values.items()
        if current[part][name] != value
    }


def _facts(chain: Chain, operation: Operation, by: str | None, now: int) -> dict[str, Any]:
    calls = zip(operation.calls, decoded(chain, operation), strict=True)
    changes: dict[str, Any] = {}
    for call in operation.calls:
        season = season_of(chain.deployment.addresses, call)
        changes |= {} if season is None else _changes(chain, season)
    return {
        "operation": operation.id,
        "ready_at": operation.ready_at,
        "seconds_left": max(operation.ready_at - now, 0),
        "scheduled_by": by,
        "predecessor": None if operation.predecessor == ZERO32 else operation.predecessor,
        "calls": [_call_facts(call, known) for call, known in calls],
        "changes": changes,
    }


def _call_facts(call: Call, known: DecodedCall) -> dict[str, Any]:
    return {
        "target": call.target,
        "contract": known.contract,
        "function": known.function,
        "arguments": [
            {"name": one.name, "type": one.type, "shown": one.shown} for one in known.arguments
        ],
        "known": known.known,
        "coin": call.value,
        "data": call.data,
    }
