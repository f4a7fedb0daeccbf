"""The two hardest rules once more, slowly and by other means, straight from the specification.

Labels: A* forward from self with a heap (docs/spec/labels.md). Network: one weight at a time in
plain integers (docs/spec/network.md). Imports nothing of ``backend.kernel``.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush

SHAPE = ((32, 128), (128, 64), (64, 64), (64, 8))
MOVES = ((0, -1), (0, 1), (1, 0), (-1, 0))


def _bit(board: int, x: int, y: int) -> bool:
    return board >> (8 * y + x) & 1 == 1


def path_cost(walls: int, hazards: int, start: int, enemy: int, hazard_stamina: int) -> int | None:
    """Cost of a cheapest path from ``start`` to a tile next to ``enemy``; None without one."""
    foe = (enemy % 8, enemy // 8)

    def estimate(x: int, y: int) -> int:
        return max(abs(x - foe[0]) + abs(y - foe[1]) - 1, 0)

    begin = (start % 8, start // 8)
    queue = [(estimate(*begin), 0, begin)]
    best = {begin: 0}
    while queue:
        _, cost, (x, y) = heappop(queue)
        if cost > best[x, y]:
            continue
        if abs(x - foe[0]) + abs(y - foe[1]) == 1:
            return cost
        for dx, dy in MOVES:
            nx, ny = x + dx, y + dy
            if not (0 <= nx <= 7 and 0 <= ny <= 7) or _bit(walls, nx, ny) or (nx, ny) == foe:
                continue
            onward = cost + 1 + (hazard_stamina if _bit(hazards, nx, ny) else 0)
            if onward < best.get((nx, ny), 1 << 30):
                best[nx, ny] = onward
                heappush(queue, (onward + estimate(nx, ny), onward, (nx, ny)))
    return None


def move_label(walls: int, hazards: int, own: int, enemy: int, hazard_stamina: int) -> int | None:
    """First step of a cheapest path, lowest direction first; None next to the enemy or cut off."""
    x, y = own % 8, own // 8
    if abs(x - enemy % 8) + abs(y - enemy // 8) == 1:
        return None
    whole = path_cost(walls, hazards, own, enemy, hazard_stamina)
    if whole is None:
        return None
    for direction, (dx, dy) in enumerate(MOVES):
        nx, ny = x + dx, y + dy
        if not (0 <= nx <= 7 and 0 <= ny <= 7) or _bit(walls, nx, ny) or 8 * ny + nx == enemy:
            continue
        entry = 1 + (hazard_stamina if _bit(hazards, nx, ny) else 0)
        rest = path_cost(walls, hazards, 8 * ny + nx, enemy, hazard_stamina)
        if rest is not None and entry + rest == whole:
            return direction
    raise AssertionError("a cheapest path has a first step")


def _clamp(value: int, low: int, high: int) -> int:
    return low if value < low else high if value > high else value


def _ex(distance: int) -> int:
    return 0 if distance > 255 else math.floor(32767 * math.exp(-distance / 32) + 0.5)


def _awake(layer: int, unit: int, mask: int) -> bool:
    if layer == 1:
        return mask >> (unit // 32) & 1 == 1
    if layer == 3:
        return mask >> (4 + unit // 16) & 1 == 1
    return True


def forward(flat: list[int], mask: int, x: list[int]) -> list[list[int]]:
    """[x, a1, a2, a3, z]."""
    layers, start = [list(x)], 0
    for depth, (rows, columns) in enumerate(SHAPE, start=1):
        out = []
        for j in range(columns):
            total = sum(layers[-1][i] * flat[start + i * columns + j] for i in range(rows))
            if depth == 4:
                out.append(total // 4096)
            else:
                out.append(_clamp(total // 4096, 0, 127) if _awake(depth, j, mask) else 0)
        layers.append(out)
        start += rows * columns
    return layers


def errors(z: list[int], move: int | None, attack: int, block: int, heads: int) -> list[int]:
    """The eight output errors."""
    e = [0] * 8
    if heads in (1, 3, 7) and move is not None:
        u = [_ex(max(z[:4]) - z[k]) for k in range(4)]
        for k in range(4):
            e[k] = u[k] * 1024 // sum(u) - (1024 if k == move else 0)
    if heads in (3, 7):
        e[4] = _clamp(64 * z[4] - 256 * attack, -1023, 1023)
    if heads == 7:
        m = max(z[5], 0)
        u5, v5 = _ex(m - z[5]), _ex(m)
        e[5] = u5 * 1024 // (u5 + v5) - 1024 * block
    return e


def step(
    flat: list[int],
    mask: int,
    x: list[int],
    label: tuple[int | None, int, int],
    heads: int,
    lr_shift: int,
) -> tuple[list[int], int, list[int]]:
    """(new weights, loss, logits) after one micro-step; ``flat`` is left as it is."""
    layers = forward(flat, mask, x)
    e = errors(layers[4], *label, heads)
    loss = sum(abs(value) for value in e)
    after, end = list(flat), len(flat)
    for depth in (3, 2, 1, 0):
        rows, columns = SHAPE[depth]
        start = end - rows * columns
        previous = []
        for i in range(rows):
            a, row = layers[depth][i], start + i * columns
            carried = sum(flat[row + j] * e[j] for j in range(columns))
            previous.append(_clamp((carried + 2048) // 4096, -1023, 1023) if 0 < a < 127 else 0)
            for j in range(columns):
                delta = (a * e[j] + 2 ** (lr_shift - 1)) // 2**lr_shift
                after[row + j] = _clamp(flat[row + j] - delta, -16384, 16383)
        e, end = previous, start
    return after, loss, layers[4]
