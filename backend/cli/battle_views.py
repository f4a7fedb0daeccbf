"""``chainbeasts battle list`` and ``show``: how matches stand. They send nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from chainbeasts.backend.battle.workspace import ArenaWorkspace, open_workspace
from chainbeasts.backend.chain.amounts import show_moment, show_span, show_time
from chainbeasts.backend.cli.output import energy, fields, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.indexer.queries import matches, open_challenges, records_of
from chainbeasts.backend.store.matches import MatchRecordRow, MatchRow, MatchStatus, RecordStatus

MatchId = Annotated[int, typer.Argument(min=1, metavar="MATCH", help="The match's number.")]


RESULTS = {"a": "A won", "b": "B won", "draw": "a draw", None: ""}
NEXT = {
    MatchStatus.CHALLENGED: "the owner of B accepts: chainbeasts battle accept {id}",
    MatchStatus.ACCEPTED: "anybody records it: chainbeasts battle record {id}",
    MatchStatus.SEEDED: "anybody records it: chainbeasts battle record {id}",
    MatchStatus.RECORDED: "anybody makes it final after that: chainbeasts battle finalize {id}",
    MatchStatus.FINAL: "its words can be trained on: chainbeasts battle export {id} -o words.csv",
    MatchStatus.CANCELLED: "none",
    MatchStatus.EXPIRED: "none: its time is over; fight anew: chainbeasts battle challenge {a} {b}",
}


def synced(session: Session, snapshots: Sequence[str] | None = None) -> ArenaWorkspace:
    """The arena's workspace, read up to the chain's head."""
    workspace = open_workspace(session.settings, session.chain, snapshots or ())
    workspace.sync()
    return workspace


def match_facts(row: MatchRow) -> dict[str, Any]:
    """A match as JSON has it."""
    return {
        "match": row.match_id,
        "status": str(row.status),
        "beast_a": row.beast_a,
        "beast_b": row.beast_b,
        "owner_a": row.owner_a,
        "owner_b": row.owner_b,
        "state_a": row.state_a,
        "state_b": row.state_b,
        "season": row.season,
        "battle_seed": None if row.battle_seed is None else f"0x{row.battle_seed:016x}",
        "record_until": row.record_until if row.status == MatchStatus.SEEDED else None,
        "result": row.result,
        "reward_a": row.reward_a,
        "reward_b": row.reward_b,
        "block": row.block_number,
        "final_block": row.final_block,
    }


def _record_facts(row: MatchRecordRow) -> dict[str, Any]:
    facts = {
        "status": str(row.status),
        "reporter": row.reporter,
        "result": row.result,
        "turns": row.turns,
        "log_root": row.log_root,
        "bond": row.bond,
        "final_at": row.final_at,
        "block": row.block_number,
    }
    if row.status != RecordStatus.DISPROVED:
        return facts
    disproof = {"challenger": row.challenger, "lie": row.lie, "lie_turn": row.lie_turn}
    return facts | disproof | {"reward": row.reward, "burned": row.burned}


def list_(
    session: Session,
    beast: Annotated[
        int | None, typer.Option(min=1, metavar="ID", help="Only this beast's matches.")
    ] = None,
    status: Annotated[
        MatchStatus | None, typer.Option(help="Only matches that stand there.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="No more than these many.")] = 50,
) -> None:
    """List matches, the newest first, and the beasts that take on every challenge."""
    workspace = synced(session)
    if beast is not None:
        workspace.chain.birth(beast)  # a beast that has not hatched is refused here, by name
    with workspace.database.session() as database:
        rows = list(matches(database, beast_id=beast, status=status, limit=limit))
        ready = list(open_challenges(database))
    facts = {
        "matches": [match_facts(row) for row in rows],
        "open": [{"beast": one.beast_id, "owner": one.owner, "state": one.state} for one in ready],
    }
    now = workspace.chain.now()
    columns = ("match", "A", "B", "status", "due", "result", "challenged in block")
    shown = [
        (
            row.match_id,
            f"beast {row.beast_a}",
            f"beast {row.beast_b}",
            row.status,
            _due(row, now),
            RESULTS[row.result],
            row.block_number,
        )
        for row in rows
    ]
    open_rows = [(f"beast {one.beast_id}", one.owner, _short(one.state)) for one in ready]
    session.show(
        facts,
        lambda: Group(
            table("Matches", columns, shown),
            table("Open to every challenge", ("beast", "owner", "state"), open_rows),
        ),
    )


def _short(value: bytes | None) -> str:
    return "" if value is None else f"0x{value.hex()[:16]}…"


def _next(row: MatchRow, now: int) -> str:
    text = NEXT[row.status].format(id=row.match_id, a=row.beast_a, b=row.beast_b)
    if row.status != MatchStatus.SEEDED or row.record_until is None:
        return text
    if now >= row.record_until:
        return f"too late to record it; anybody ends it: chainbeasts battle expire {row.match_id}"
    return f"{text}, before {show_moment(row.record_until, now)}"


def _due(row: MatchRow, now: int) -> str:
    """How a match that must be recorded stands in a list."""
    if row.status != MatchStatus.SEEDED or row.record_until is None:
        return ""
    left = row.record_until - now
    return f"record within {show_span(left)}" if left > 0 else "too late to record"


def _match_view(row: MatchRow, records: Sequence[MatchRecordRow], now: int) -> RenderableType:
    seed = "not drawn" if row.battle_seed is None else f"0x{row.battle_seed:016x}"
    values: dict[str, object] = {
        "A": f"beast {row.beast_a} of {row.owner_a}, state {_short(row.state_a)}",
        "B": f"beast {row.beast_b} of {row.owner_b or 'somebody who has not accepted'}, "
        f"state {_short(row.state_b) or 'not chosen'}",
        "status": row.status,
        "battle seed": seed,
        "season": row.season or "",
        "result": RESULTS[row.result],
    }
    if row.status == MatchStatus.FINAL:
        values["rewards"] = f"A {energy(row.reward_a)}, B {energy(row.reward_b)}"
    values["next"] = _next(row, now)
    parts: list[RenderableType] = [fields(f"Match {row.match_id}", values)]
    return Group(*parts, *map(_record_view, records))


def _record_view(row: MatchRecordRow) -> RenderableType:
    values: dict[str, object] = {
        "status": row.status,
        "reporter": row.reporter,
        "says": f"{RESULTS[row.result]} after {row.turns} turns",
        "log root": "0x" + row.log_root.hex(),
        "bond": energy(row.bond),
        "final": f"not before {show_time(row.final_at)}",
    }
    if row.status == RecordStatus.DISPROVED:
        values |= {
            "lie": f"{row.lie} in turn {row.lie_turn}",
            "disproved by": f"{row.challenger}, who got {energy(row.reward or 0)}",
            "burned": energy(row.burned or 0),
        }
    return fields(f"Record {row.number}", values)


def show(session: Session, match: MatchId) -> None:
    """Show a match: who fights with which states, what was recorded, what comes next."""
    workspace = synced(session)
    row = workspace.match(match)
    with workspace.database.session() as database:
        records = list(records_of(database, match))
    facts = match_facts(row) | {"records": [_record_facts(one) for one in records]}
    session.show(facts, lambda: _match_view(row, records, workspace.chain.now()))


def register(app: typer.Typer) -> None:
    """Add the verbs to their noun."""
    command(app, "list", example="chainbeasts battle list --beast 1 --status final")(list_)
    command(app, "show", example="chainbeasts battle show 1")(show)
