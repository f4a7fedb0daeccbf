"""What the teacher wants in a position: move, attack power, block (docs/spec/labels.md)."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from chainbeasts.backend.kernel.board import (
    NEIGHBOURS,
    Position,
    adjacent,
    bit,
    neighbour,
    unpack,
)
from chainbeasts.backend.kernel.combat import damage
from chainbeasts.backend.kernel.rules import Rules

FULL_POWER = 15


@dataclass(frozen=True, slots=True)
class Label:
    """The three labels of one valid word.

    Attributes:
        move: first step of a cheapest path (0 N, 1 S, 2 E, 3 W); None when there is none to learn.
        attack: 0…15, the damage of a full-power attack; 0 out of reach.
        block: 1 if blocking pays, else 0.
    """

    move: int | None
    attack: int
    block: int


def label(word: int, rules: Rules) -> Label:
    """The labels of one valid word."""
    p = unpack(word)
    reach = adjacent(p.self_.pos, p.enemy.pos)
    defense = p.enemy.defense + p.enemy.temp_def
    attack = damage(FULL_POWER, defense, rules) if reach else 0
    guard = rules.block_threshold_den * p.self_.temp_def
    block = int(guard < rules.block_threshold_num * p.enemy.power)
    steps = () if reach else _optimal_steps(p, rules)
    return Label(steps[0] if steps else None, attack, block)


def optimal_steps(word: int, rules: Rules) -> tuple[int, ...]:
    """Every first step of a cheapest path, of which the lowest is the label; empty without one."""
    p = unpack(word)
    return () if adjacent(p.self_.pos, p.enemy.pos) else _optimal_steps(p, rules)


def _optimal_steps(p: Position, rules: Rules) -> tuple[int, ...]:
    """First steps of cheapest paths to a tile next to the enemy, in the order N, S, E, W."""
    togo = _costs_to_reach(p, rules)
    costs = {}
    for direction in range(4):
        tile = neighbour(p.self_.pos, direction)
        if tile is not None and tile in togo:
            costs[direction] = _entry_cost(p, tile, rules) + togo[tile]
    best = min(costs.values(), default=0)
    return tuple(direction for direction, cost in costs.items() if cost == best)


def _entry_cost(p: Position, tile: int, rules: Rules) -> int:
    return 1 + rules.hazard_stamina * bit(p.hazards, tile)


def _costs_to_reach(p: Position, rules: Rules) -> dict[int, int]:
    """Cheapest cost from each connected open tile to a tile next to the enemy.

    The search runs backwards from the goals, so one pass serves all four first steps.
    """
    blocked = p.walls | 1 << p.enemy.pos
    queue = [(0, tile) for tile in NEIGHBOURS[p.enemy.pos] if not bit(blocked, tile)]
    costs: dict[int, int] = {}
    while queue:
        cost, tile = heappop(queue)
        if tile in costs:
            continue  # popped before at no higher cost; among equal costs the heap's order is moot
        costs[tile] = cost
        if tile == p.self_.pos:
            continue  # a path back through self costs more than its own rest, begun at once
        onward = cost + _entry_cost(p, tile, rules)
        for before in NEIGHBOURS[tile]:
            if before not in costs and not bit(blocked, before):
                heappush(queue, (onward, before))
    return costs
