"""The published test vectors: their inputs, and the files made of them (docs/spec/vectors.md §8).

Deterministic: all that looks random is drawn from fixed 64-bit states, so the files are the same
on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backend.kernel import vectors
from backend.kernel.board import EAST, NORTH, SOUTH, WEST, neighbour, pack, unpack
from backend.kernel.combat import a_acts_first
from backend.kernel.rng import draw
from backend.kernel.rules import Rules
from backend.kernel.samples import Source
from backend.kernel.tables import KERNEL_ID
from backend.kernel.vector_fields import FORMAT, hex_bytes, hex_long, hex_word, rules_json
from backend.kernel.vector_words import broken_words, maze_words, varied_word

Inputs = dict[str, Any]

SEASONS = (
    Rules(),
    Rules(damage_curve=1, hazard_stamina=15, block_gain=255, block_cap=127, rest_gain=255),
    Rules(damage_k=2184, crit_odds=1, hazard_stamina=0, block_gain=0, block_cap=0, max_turns=254),
    Rules(damage_k=1, damage_curve=1, crit_odds=65_535, rest_gain=1, max_turns=1),
    Rules(block_threshold_num=255, block_threshold_den=1, damage_k=100, damage_curve=1),
)

ABOUT = {
    "labels": "word -> whether it is valid, and the labels of its three heads",
    "features": "word -> the network's 32 inputs",
    "combat": "word and action -> the word after the activation",
    "matches": "two DNAs, a seed, and actions or brains -> every word, the winner, the log's root",
    "genesis": "DNA and beast -> mask, weights' hash and state hash at hatch",
    "windows": "windows in a row -> 16 segment hashes and the loss of each",
}


def _bytes32(seed: int) -> bytes:
    return b"".join(draw(seed, i).to_bytes(8) for i in range(4))


def _named(name: str, rules: Rules, inputs: Inputs) -> Inputs:
    changed = rules_json(rules)
    return {"name": name} | ({"rules": changed} if changed else {}) | inputs


def _label_cases() -> Iterator[Inputs]:
    for season, rules in enumerate(SEASONS):
        for i in range(24):
            word = varied_word(1000 * season + i, rules)
            yield _named(f"season {season}, word {i}", rules, {"word": hex_word(word)})
        for name, word in maze_words():
            yield _named(f"season {season}, {name}", rules, {"word": hex_word(word)})
    for name, word in broken_words(varied_word(1, Rules())):
        yield _named(name, Rules(), {"word": hex_word(word)})


def _feature_cases() -> Iterator[Inputs]:
    for i in range(40):
        yield {"name": f"word {i}", "word": hex_word(varied_word(20_000 + i, Rules()))}
    for corner in (0, 7, 56, 63):
        p = unpack(varied_word(30_000 + corner, Rules()))
        p.self_.pos = corner
        enemy = neighbour(corner, 2 if corner % 8 == 0 else 3)
        assert enemy is not None
        p.enemy.pos = enemy
        p.walls &= ~(1 << corner | 1 << enemy)
        yield {"name": f"corner {corner}", "word": hex_word(pack(p))}


def _combat_cases() -> Iterator[Inputs]:
    for season, rules in enumerate(SEASONS):
        for i in range(36):
            seed = 40_000 + 1000 * season + i
            r = draw(seed, 50)
            action = {"direction": r & 3, "power": (r >> 2) & 15, "block": bool((r >> 6) & 1)}
            inputs = {
                "word": hex_word(varied_word(seed, rules)),
                "action": action,
                "battleSeed": hex_long(draw(seed, 51)),
            }
            yield _named(f"season {season}, activation {i}", rules, inputs)


def _match_cases() -> Iterator[Inputs]:
    """Creatures that mostly walk towards one another, and fight where they meet."""
    for i, season in enumerate((0, 0, 0, 1, 2, 3, 4)):
        rules = replace(SEASONS[season], max_turns=min(SEASONS[season].max_turns, 60))
        seed = draw(63_000, i) & ~63 | (0, 37, 2, 0, 0, 1, 5)[i]
        towards = ((SOUTH, EAST), (NORTH, WEST))
        first, second = towards if a_acts_first(seed) else towards[::-1]
        actions = []
        for turn in range(24):
            r = draw(60_000 + i, turn)
            near = (second if turn % 2 else first)[r & 1]
            direction = near if (r >> 1) & 7 else (r >> 4) & 3
            power = 8 + (r >> 6) % 8 if (r >> 12) % 4 else 0
            actions.append(
                {"direction": direction, "power": power, "block": (r >> 10) % 4 == 0},
            )
        inputs = {
            "dnaA": hex_bytes(_bytes32(61_000 + i)),
            "dnaB": hex_bytes(_bytes32(62_000 + i)),
            "battleSeed": hex_long(seed),
            "actions": actions,
        }
        yield _named(f"match {i}", rules, inputs)
    yield from _brain_match_cases()


def _hunter(strength: int, blocks: bool) -> list[dict[str, int]]:
    """A brain that walks straight at the enemy and strikes with ``strength`` / 2.

    One slot of each kind will do: a unit of each layer carries each input that counts, 4,096 being
    the factor 1.
    """
    first, second, third, last = 0, 4_096, 12_288, 16_384  # where W1 to W4 begin
    entries = []
    for unit, source in enumerate((23, 22, 20, 21, 28)):  # the enemy is N, S, E, W; always 32
        entries += [(first + 128 * source + unit, 4_096)]
        entries += [(start + 64 * unit + unit, 4_096) for start in (second, third)]
    entries += [(last + 8 * unit + unit, 4_096) for unit in range(4)]
    entries += [(last + 8 * 4 + 4, 128 * strength), (last + 8 * 4 + 5, 128 if blocks else -128)]
    return [{"index": index, "value": value} for index, value in entries]


def _brain_match_cases() -> Iterator[Inputs]:
    """Matches between brains: made by hand, newborn, hostile; awake and masked."""
    hunters = {"hunter": _hunter(30, False), "blocking hunter": _hunter(7, True)}

    def brain(kind: str, mask: int, seed: int) -> Inputs:
        if kind in hunters:
            return {"mask": mask, "weights": hunters[kind]}
        wild = {"wildWeights": hex_long(draw(64_000, seed))} if kind == "wild" else {}
        return {"mask": mask} | wild

    short = Rules(max_turns=8)
    for i, (a, b, rules, terrain) in enumerate(
        (
            (("hunter", 0x11), ("hunter", 0xFF), Rules(), 0),
            (("hunter", 0xFF), ("blocking hunter", 0x31), replace(SEASONS[1], max_turns=24), 64),
            (("hunter", 0xFE), ("hunter", 0xEF), short, 0),
            (("wild", 0xFF), ("wild", 0x00), short, 9),
            (("wild", 0x9A), ("wild", 0x65), replace(SEASONS[2], max_turns=8), 64 + 21),
            (("newborn", 0xFF), ("wild", 0x7E), replace(SEASONS[4], max_turns=8), 33),
        )
    ):
        inputs = {
            "dnaA": hex_bytes(_bytes32(65_000 + i)),
            "dnaB": hex_bytes(_bytes32(66_000 + i)),
            "battleSeed": hex_long(draw(67_000, i) & ~127 | terrain),
            "brains": [brain(*a, 2 * i), brain(*b, 2 * i + 1)],
        }
        name = f"{a[0]} {a[1]:#04x} against {b[0]} {b[1]:#04x}"
        yield _named(name, rules, inputs)


def _genesis_cases() -> Iterator[Inputs]:
    for sensors in range(4):
        for appendages in range(4):
            dna = bytearray(_bytes32(70_000 + 4 * sensors + appendages))
            dna[4], dna[5] = 4 * (dna[4] // 4) + sensors, 4 * (dna[5] // 4) + appendages
            yield {
                "name": f"{sensors + 1} sensors, {appendages + 1} appendages",
                "beastId": hex_word(1 + 4 * sensors + appendages),
                "dna": hex_bytes(bytes(dna)),
            }
    yield {"name": "widest id", "beastId": hex_word((1 << 256) - 1), "dna": hex_bytes(bytes(32))}


def _window(seed: int, source: Source, mask: int, heads: int, lr_shift: int) -> Inputs:
    made: Inputs = {
        "epochSeed": hex_bytes(_bytes32(seed)),
        "mask": mask,
        "heads": heads,
        "lrShift": lr_shift,
        "source": int(source),
    }
    if source is Source.PRIVATE:
        made["ownerSecretFold"] = hex_long(draw(seed, 60))
    if source in (Source.BATTLE, Source.PRIVATE):
        words = [varied_word(draw(seed, 61 + i), Rules()) for i in range(5 + seed % 7)]
        words[3] = 0  # not a valid word: its steps are null steps
        made["records"] = [hex_word(word) for word in words]
    return made


def _window_cases() -> Iterator[Inputs]:
    """All sources, heads, shifts 3 to 15, growth, null steps, a counter that wraps, hostile
    weights."""
    for i, source in enumerate(Source):
        dna = bytearray(_bytes32(80_000 + i))
        dna[4], dna[5] = 0, 1  # one sensor and two appendages awake: mask 0x31
        windows = [
            _window(81_000 + 10 * i, source, 0x31, 1, 9),
            _window(81_001 + 10 * i, source, 0x33, 3, 3 + i),
            _window(81_002 + 10 * i, source, 0xF7, 7, 7 + i),
            _window(81_003 + 10 * i, Source((i + 1) % 4), 0xFF, 7, 11 + i),
        ]
        if i == 3:
            windows[-1]["lrShift"] = 15
        inputs: Inputs = {"beastId": hex_word(100 + i), "windows": windows}
        inputs["dna"] = hex_bytes(bytes(dna))
        rules = SEASONS[0] if i != 1 else replace(SEASONS[0], max_turns=6, crit_odds=2)
        yield _named(f"four windows from hatch, {source.name}", rules, inputs)
    for i, source in enumerate(Source):
        inputs = {
            "beastId": hex_word(200 + i),
            "dna": hex_bytes(_bytes32(82_000 + i)),
            "globalStep": (1 << 32) - 5,
            "wildWeights": hex_long(draw(83_000, i)),
            "windows": [_window(84_000 + 10 * i, source, 0xFF, 7, (3, 14, 8, 15)[i])],
        }
        name = f"wild weights, a counter that wraps, {source.name}"
        yield _named(name, SEASONS[(i + 1) % 3], inputs)
    inputs = {
        "beastId": hex_word(300),
        "dna": hex_bytes(_bytes32(85_000)),
        "windows": [_window(86_000, Source.PRIVATE, 0xFF, 7, 9) | {"records": [hex_word(0)]}],
    }
    yield _named("nothing but null steps", Rules(), inputs)


_CASES = {
    "labels": _label_cases,
    "features": _feature_cases,
    "combat": _combat_cases,
    "matches": _match_cases,
    "genesis": _genesis_cases,
    "windows": _window_cases,
}


def _merge(inputs: Any, outputs: Any) -> Any:
    """Outputs beside the inputs they belong to."""
    if isinstance(inputs, dict) and isinstance(outputs, dict):
        return inputs | {k: _merge(inputs.get(k), value) for k, value in outputs.items()}
    if isinstance(inputs, list) and isinstance(outputs, list):
        return [_merge(left, right) for left, right in zip(inputs, outputs, strict=True)]
    return outputs


def document(kind: str) -> str:
    """The text of one published file: JSON, a case per line."""
    kernel = vectors.NumpyKernel()
    cases = [_merge(case, vectors.answer(kernel, kind, case)) for case in _CASES[kind]()]
    head = {"format": FORMAT, "kernelId": hex_bytes(KERNEL_ID), "kind": kind, "about": ABOUT[kind]}
    lines = ",\n".join("    " + json.dumps(case) for case in cases)
    opening = json.dumps(head, indent=2).removesuffix("\n}")
    return f'{opening},\n  "cases": [\n{lines}\n  ]\n}}\n'


def documents() -> dict[str, str]:
    """All published files by name."""
    return {f"{kind}.json": document(kind) for kind in vectors.KINDS}
