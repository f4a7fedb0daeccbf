"""``chainbeasts battle replay``: a match turn by turn, with the logits behind each action."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from chainbeasts.backend.battle.drawing import Scene, draw_turn, full_hp
from chainbeasts.backend.battle.recording import expect, fighters_of, play_out
from chainbeasts.backend.battle.sides import Side, read_side
from chainbeasts.backend.battle.tournament import bodies, result_of
from chainbeasts.backend.battle.turns import Turn, turns_of
from chainbeasts.backend.battle.verdict import Terms, lie_against, lie_in_words
from chainbeasts.backend.battle.workspace import ArenaWorkspace, MissingStateError
from chainbeasts.backend.chain.types import MatchResult, MatchStatus
from chainbeasts.backend.cli.battle_simulate import LazyWorkspace, ProfileOption, parse_seed
from chainbeasts.backend.cli.options import PlacesOption
from chainbeasts.backend.cli.output import note, stdout
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.combat import Match
from chainbeasts.backend.kernel.fighters import Fighter
from chainbeasts.backend.kernels import play

VERDICTS = {
    True: "verified: played again, the match gives this log, this root and this result",
    False: "not verified: {reason}",
    None: "not checked: {reason}",
}


@dataclass(frozen=True, slots=True)
class Show:
    """A match to be shown.

    Attributes:
        verified: whether the record is what play leads to; None if it cannot be told, or if
            nothing was recorded.
        reason: why not.
    """

    scene: Scene
    turns: list[Turn]
    battle_seed: int
    result: MatchResult
    verified: bool | None = None
    reason: str = ""


def _of_sides(a: Side, b: Side, seed: int, lazy: LazyWorkspace, profile: str | None) -> Show:
    played = play(a.fighter, b.fighter, seed, lazy.rules(profile, (a, b)))
    hp = (full_hp(a.fighter.dna), full_hp(b.fighter.dna))
    scene = Scene(f"Seed 0x{seed:x}", (a.name, b.name), hp, played.turns)
    turns = turns_of(played.words, seed, a.fighter, b.fighter, played.last)
    return Show(scene, turns, seed, result_of(played), None, "nothing is recorded of it")


def _of_match(workspace: ArenaWorkspace, match_id: int) -> Show:
    """A match of the chain: its record's log, else what will be recorded."""
    match = expect(workspace, match_id, MatchStatus.SEEDED, MatchStatus.RECORDED, MatchStatus.FINAL)
    ids, found = (match.beast_a, match.beast_b), workspace.record(match_id)
    dnas = [workspace.chain.birth(beast).dna for beast in ids]
    a: Fighter | None = None
    b: Fighter | None = None
    played: Match | None = None
    verified, reason = None, "nothing is recorded of it"
    try:
        a, b = fighters_of(workspace, match)
        played = play_out(workspace, match)
        words, result = played.words, result_of(played)
    except MissingStateError as error:
        if found is None:
            raise
        reason = error.message
    if found is not None:
        words, result = found.words, found.result
        rules = workspace.chain.season(match.season).rules
        lie = lie_in_words(words, Terms(dnas[0], dnas[1], match.battle_seed, rules))
        if lie is None and played is not None:
            lie = lie_against(words, result, played)
        if lie is not None:
            verified, reason = False, lie.why
        elif played is not None:
            verified, reason = True, ""
    last = None if played is None or verified is False else played.last
    names = (f"beast {ids[0]}", f"beast {ids[1]}")
    scene = Scene(f"Match {match_id}", names, (full_hp(dnas[0]), full_hp(dnas[1])), len(words))
    turns = turns_of(words, match.battle_seed, a, b, last)
    return Show(scene, turns, match.battle_seed, result, verified, reason)


def _turn_facts(turn: Turn) -> dict[str, Any]:
    a, b = turn.standing
    return {
        "turn": turn.number,
        "word": word_bytes(turn.word),
        "acts": turn.actor.lower(),
        "a": asdict(a),
        "b": asdict(b),
        "critical": turn.critical,
        "logits": turn.logits,
        "action": turn.action,
        "events": turn.events,
    }


def _facts(show: Show, turns: Sequence[Turn]) -> dict[str, Any]:
    return {
        "match": show.scene.title,
        "names": show.scene.names,
        "battle_seed": f"0x{show.battle_seed:016x}",
        "result": show.result,
        "verified": show.verified,
        "reason": show.reason,
        "turns": [_turn_facts(turn) for turn in turns],
    }


def _ending(show: Show) -> Text:
    names = {MatchResult.A: "A wins", MatchResult.B: "B wins", MatchResult.DRAW: "Nobody wins"}
    verdict = VERDICTS[show.verified].format(reason=show.reason)
    style = {True: "green", False: "bold red", None: "dim"}[show.verified]
    after = f"{names[show.result]} after {show.scene.turns} turns{_shares(show)}. "
    return Text(after).append(verdict, style)


def _shares(show: Show) -> str:
    """What decides a match without a kill: how much of its hp each has left."""
    end = show.turns[-1].after
    if end is None:
        return ""
    left = bodies(end, show.turns[-1].a_acts is False)
    if 0 in (left[0].hp, left[1].hp):
        return ""
    a, b = (
        f"{100 * one.hp / full:.0f} %" for one, full in zip(left, show.scene.full_hp, strict=True)
    )
    return f", with {a} of A's hp and {b} of B's left"


def _perform(show: Show, turns: Sequence[Turn], speed: float) -> None:
    """Draw in place on a terminal, else one frame after another."""
    if not stdout.is_terminal or len(turns) == 1:
        for turn in turns:
            stdout.print(draw_turn(turn, show.scene))
        stdout.print(_ending(show))
        return
    with Live(console=stdout, auto_refresh=False) as live:
        for turn in turns:
            live.update(draw_turn(turn, show.scene), refresh=True)
            time.sleep(1 / speed)
        live.update(Group(draw_turn(turns[-1], show.scene), _ending(show)), refresh=True)


def replay(
    session: Session,
    match: Annotated[
        str, typer.Argument(metavar="MATCH|A", help="A match of the chain, or fighter A.")
    ],
    b: Annotated[
        str | None,
        typer.Argument(metavar="B", help="Fighter B, as `battle simulate` takes them."),
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Battle seed, for A against B.")] = None,
    turn: Annotated[int | None, typer.Option(min=0, help="Draw this turn alone.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Turns per second.")] = 3.0,
    snapshots: PlacesOption = None,
    profile: ProfileOption = None,
) -> None:
    """Watch a match: the board, hp and stamina, and the logits behind each action.

    A match of the chain is played again, and its record compared with that. Without the states of
    both beasts the log alone is drawn.
    """
    lazy = LazyWorkspace(session, snapshots)
    if b is not None:
        if seed is None:
            raise ChainBeastsError(
                "Which match of the two? The battle seed is not given.",
                "Name one: --seed 7; `chainbeasts battle simulate` lists some.",
            )
        start = parse_seed(seed)
        sides = read_side(match, lazy.workspace), read_side(b, lazy.workspace)
        shown = _of_sides(*sides, start, lazy, profile)
    elif not match.isascii() or not match.isdigit() or seed is not None:
        raise ChainBeastsError(
            "A match of the chain is named by its number alone.",
            "Replay one: chainbeasts battle replay 3; or name two fighters and a --seed.",
        )
    else:
        shown = _of_match(lazy.workspace(), int(match))
    turns = shown.turns
    if turn is not None:
        if turn >= len(turns):
            raise ChainBeastsError(
                f"The match has no turn {turn}.", f"Its turns are 0 to {len(turns) - 1}."
            )
        turns = turns[turn : turn + 1]
    if session.as_json:
        session.show(_facts(shown, turns), "")
    else:
        _perform(shown, turns, speed)
    if shown.verified is False:
        note(
            "Validators disprove such a record by themselves; by hand, while it can be: "
            f"chainbeasts validator disprove {match}"
        )


def register(app: typer.Typer) -> None:
    """Add the verb to its noun."""
    command(app, "replay", example="chainbeasts battle replay 1 --speed 5")(replay)
