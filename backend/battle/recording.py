"""A match from its seed to its record and its finality, on chain."""

from __future__ import annotations

from dataclasses import dataclass

from chainbeasts.backend.battle.tournament import result_of
from chainbeasts.backend.battle.workspace import LOOK, ArenaWorkspace
from chainbeasts.backend.chain import types
from chainbeasts.backend.chain.amounts import show_time
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.transactions import Receipt, TransactionManager
from chainbeasts.backend.chain.types import MatchResult, MatchStatus
from chainbeasts.backend.chain.waiting import await_block
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.combat import Match
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernels import play

_ELSEWHERE: dict[MatchStatus, tuple[str, str]] = {
    MatchStatus.NONE: ("There is no match {id}.", LOOK),
    MatchStatus.CHALLENGED: (
        "Match {id} waits for the owner of beast {b} to accept.",
        "That is: chainbeasts battle accept {id}",
    ),
    MatchStatus.ACCEPTED: (
        "Match {id} has no seed and no record yet.",
        "Draw, play and record: chainbeasts battle record {id}",
    ),
    MatchStatus.SEEDED: (
        "Match {id} is not recorded yet.",
        "Anybody may: chainbeasts battle record {id}",
    ),
    MatchStatus.RECORDED: (
        "Match {id} is recorded already, and can be disproved until {final_at}.",
        "Afterwards: chainbeasts battle finalize {id}",
    ),
    MatchStatus.FINAL: ("Match {id} is final.", "See: chainbeasts battle show {id}"),
    MatchStatus.CANCELLED: ("Match {id} was cancelled by who asked for it.", LOOK),
    MatchStatus.EXPIRED: (
        "Match {id} has expired: nobody drew its seed, or recorded it, in time.",
        "Fight it anew: chainbeasts battle challenge {a} {b}",
    ),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record that was made; amounts in wei of ENERGY, ``final_at`` in unix seconds."""

    match_id: int
    battle_seed: int
    result: MatchResult
    turns: int
    log_root: bytes
    bond: int
    deposited: int
    final_at: int
    receipt: Receipt


def expect(workspace: ArenaWorkspace, match_id: int, *wanted: MatchStatus) -> types.Match:
    """A match that is where a move can be made from.

    Raises:
        ChainBeastsError: it is somewhere else; the hint says what can be done there.
    """
    found = workspace.chain.match(match_id)
    if found.status in wanted:
        return found
    message, hint = _ELSEWHERE[found.status]
    beasts = {"a": found.beast_a, "b": found.beast_b}
    values = {"id": match_id, "final_at": show_time(found.final_at), **beasts}
    raise ChainBeastsError(message.format(**values), hint.format(**values))


def fighters_of(workspace: ArenaWorkspace, match: types.Match) -> tuple[Fighter, Fighter]:
    """Both beasts with the states that they were entered with.

    Raises:
        MissingStateError: a state is not at hand.
    """
    a = workspace.fighter(match.beast_a, match.state_a)
    return a, workspace.fighter(match.beast_b, match.state_b)


def play_out(workspace: ArenaWorkspace, match: types.Match) -> Match:
    """What becomes of a seeded match. It is decided already; this computes it.

    Raises:
        MissingStateError: a state is not at hand.
    """
    a, b = fighters_of(workspace, match)
    return play(a, b, match.battle_seed, workspace.chain.season(match.season).rules)


def draw_seed(workspace: ArenaWorkspace, sender: TransactionManager, match_id: int) -> types.Match:
    """Fix a match's seed, if nobody has; the match with it.

    Raises:
        ChainBeastsError: the match is not accepted, or it has expired, if only by this call: the
            chain has forgotten the hash that would seed it.
    """
    found = expect(workspace, match_id, MatchStatus.ACCEPTED, MatchStatus.SEEDED)
    if found.status is MatchStatus.SEEDED:
        return found
    await_block(workspace.chain, found.seed_block + 1)
    sender.send(workspace.chain.arena.functions.drawSeed(match_id), label="draw the seed")
    return expect(workspace, match_id, MatchStatus.SEEDED)


def check_record_window(workspace: ArenaWorkspace, match_id: int, match: types.Match) -> None:
    """Make sure that a seeded match can still be recorded.

    Raises:
        ChainBeastsError: it cannot; the arena would refuse, and take no bond.
    """
    if workspace.chain.now() < match.record_until:
        return
    raise ChainBeastsError(
        f"Match {match_id} could be recorded until {show_time(match.record_until)}; nobody did.",
        f"It counts as expired once somebody says so: chainbeasts battle expire {match_id}",
    )


def expire(workspace: ArenaWorkspace, sender: TransactionManager, match_id: int) -> Receipt:
    """End a match whose seed nobody drew, or that nobody recorded, in time.

    Raises:
        ChainBeastsError: it is elsewhere, or its time is not over.
    """
    expect(workspace, match_id, MatchStatus.ACCEPTED, MatchStatus.SEEDED)
    return sender.send(workspace.chain.arena.functions.expire(match_id), label="expire the match")


def record(workspace: ArenaWorkspace, sender: TransactionManager, match_id: int) -> Recorded:
    """Play a match that was agreed on, and record what became of it.

    The seed is drawn first if nobody has; a bond that the escrow lacks is deposited.

    Raises:
        ChainBeastsError: the match is elsewhere, a state is missing, the bond cannot be paid, or
            the kernels disagree, which would cost the bond.
    """
    expect(workspace, match_id, MatchStatus.ACCEPTED, MatchStatus.SEEDED)
    match = draw_seed(workspace, sender, match_id)
    check_record_window(workspace, match_id, match)
    played = play_out(workspace, match)
    season = workspace.chain.season(match.season)
    if fight(*fighters_of(workspace, match), match.battle_seed, season.rules) != played:
        raise ChainBeastsError(
            f"The kernels of this machine disagree about match {match_id}; nothing is recorded.",
            "Set CHAINBEASTS_KERNEL=numpy, and report this.",
        )
    bond, result = season.arena.record_bond, result_of(played)
    arena = workspace.chain.arena
    deposited = ensure_escrow(workspace.chain, sender, bond, escrow=arena)
    call = arena.functions.record(
        match_id,
        match.battle_seed,
        int(result),
        played.turns,
        played.log_root,
        list(played.words),
    )
    receipt = sender.send(call, label="record the match")
    final_at = workspace.chain.match(match_id).final_at
    return Recorded(
        match_id,
        match.battle_seed,
        result,
        played.turns,
        played.log_root,
        bond,
        deposited,
        final_at,
        receipt,
    )
