"""A turn of a match as text for a terminal: the board, the two beasts, and the logits."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chainbeasts.backend.battle.turns import Turn, heading_of
from chainbeasts.backend.kernel.board import Creature, bit, unpack
from chainbeasts.backend.kernel.combat import stats_from_dna

STYLES = {"A": "bold green", "B": "bold magenta", "#": "bright_black", "~": "yellow", "·": "dim"}
ACTIONS = ("rested", "moved", "attacked", "blocked")
BAR = 14
LOGIT_BAR = 5
FULL_STAMINA = 31
"""The most that a DNA gives."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What stays the same through a match.

    Attributes:
        title: of the match.
        names: of A and of B.
        full_hp: of A and of B at the start.
        turns: in the whole match.
    """

    title: str
    names: tuple[str, str]
    full_hp: tuple[int, int]
    turns: int


def full_hp(dna: bytes) -> int:
    """Hp that a beast enters a match with."""
    return stats_from_dna(dna).hp


def draw_board(turn: Turn) -> Text:
    """Eight lines of eight tiles, as they are before the activation."""
    p, (a, b) = unpack(turn.word), turn.standing
    text = Text()
    for y in range(8):
        for tile in range(8 * y, 8 * y + 8):
            mark = "#" if bit(p.walls, tile) else "~" if bit(p.hazards, tile) else "·"
            mark = "A" if tile == a.pos else "B" if tile == b.pos else mark
            text.append(mark + " ", STYLES[mark])
        text.append("\n")
    text.append("# wall  ~ hazard", "dim")
    return text


def _bar(value: int, full: int, style: str, width: int = BAR) -> Text:
    filled = min(width, -(-value * width // max(full, 1)))  # something left shows
    text = Text("█" * filled, style)
    return text.append("░" * (width - filled), "dim")


def _beast(letter: str, name: str, creature: Creature, hp: int, acts: bool) -> Text:
    text = Text()
    text.append("▶ " if acts else "  ").append(f"{letter} ", STYLES[letter]).append(name + "\n")
    style = "green" if 2 * creature.hp > hp else "yellow" if 4 * creature.hp > hp else "red"
    text.append("  hp      ").append_text(_bar(creature.hp, hp, style))
    text.append(f" {creature.hp}/{hp}\n")
    stamina = max(FULL_STAMINA, creature.stamina)
    text.append("  stamina ").append_text(_bar(creature.stamina, stamina, "cyan"))
    text.append(f" {creature.stamina}\n")
    heading = heading_of(creature)
    last = f"{ACTIONS[creature.last_action]} last" + (f", heading {heading}" if heading else "")
    guard = f"{creature.defense} + {creature.temp_def}"
    return text.append(f"  power {creature.power}, defense {guard}\n  {last}", "dim")


def _logit(label: str, value: int, reach: int, chosen: bool) -> Text:
    text = Text()
    width = min(LOGIT_BAR, abs(value) * LOGIT_BAR // max(reach, 1))
    negative, positive = (width, 0) if value < 0 else (0, width)
    text.append(f"{label:<6}")
    text.append("─" * (LOGIT_BAR - negative), "dim").append("█" * negative, "red")
    text.append("│")
    text.append("█" * positive, "green").append("─" * (LOGIT_BAR - positive), "dim")
    text.append(f" {value:>6}", "bold" if chosen else "")
    return text.append(" ←\n" if chosen else "\n")


def draw_logits(turn: Turn) -> Text:
    """Why the beast acts so: its logits, and what they mean."""
    if turn.logits is None:
        return Text(f"why: the brain of {turn.actor} is not at hand", "dim")
    if turn.action is None:
        return Text("nobody acts on this word", "dim")
    z, action = turn.logits, turn.action
    reach = max(abs(value) for value in z[:6])
    text = Text(f"why {turn.actor} acts so\n")
    for way, label in enumerate(("north", "south", "east", "west")):
        text.append_text(_logit(label, z[way], reach, way == action.direction))
    text.append_text(_logit("attack", z[4], reach, action.power > 0))
    text.append_text(_logit("block", z[5], reach, action.block))
    return text.append(f"  power {action.power}{', block' if action.block else ''}")


def draw_turn(turn: Turn, scene: Scene) -> RenderableType:
    """The whole frame; 80 columns hold it."""
    a, b = turn.standing
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        draw_board(turn),
        Group(
            _beast("A", scene.names[0], a, scene.full_hp[0], turn.a_acts),
            _beast("B", scene.names[1], b, scene.full_hp[1], not turn.a_acts),
        ),
        draw_logits(turn),
    )
    head = f"{scene.title} · turn {turn.number} of 0 to {scene.turns - 1}"
    happens = ", ".join(turn.events) if turn.after is not None else "acts; how is not at hand"
    critical = " · an attack would be critical" if turn.critical else ""
    limits = "".join(f" · {limit}" for limit in turn.limits)
    foot = Text(f"{turn.actor} {happens}{critical}").append(limits, "yellow")
    return Group(Text(head, "bold"), grid, foot, Text())
