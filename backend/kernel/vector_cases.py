"""The published test vectors: their inputs, and the files made of them (docs/spec/vectors.md §8).

Deterministic: all that looks random is drawn from fixed 64-bit states, so the files are the same
on every machine.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from chainbeasts.backend.kernel import vectors
from chainbeasts.backend.kernel.board import EAST, NORTH, SOUTH, WEST, neighbour, pack, unpack
from chainbeasts.backend.kernel.combat import a_acts_first, start_match
from chainbeasts.backend.kernel.constants import LAYERS, WEIGHT_MAX, WEIGHT_MIN
from chainbeasts.backend.kernel.rng import draw
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.kernel.vector_fields import (
    FORMAT,
    hex_bytes,
    hex_long,
    hex_word,
    rules_json,
)
from chainbeasts.backend.kernel.vector_words import (
    broken_words,
    decoding_cases,
    heading_cases,
    maze_words,
    refused_words,
    varied_word,
)

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
    "decoding": "word and logits -> the action that the appendage makes of them",
    "combat": "word and action -> the word after the activation; null where it is refused",
    "outcomes": "word, DNAs and seed -> who has won; null while the match goes on",
    "matches": "two DNAs, a seed, and actions or brains -> every word, the winner, the log's root",
    "genesis": "DNA and beast -> mask, weights' root and state hash at hatch",
    "states": "header and weights -> the weights' root and the state hash",
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
    for i, (name, word, acting) in enumerate(heading_cases()):
        inputs = {"word": hex_word(word), "action": acting}
        yield _named(name, Rules(), inputs | {"battleSeed": hex_long(draw(45_000, i))})
    for name, word in refused_words(Rules()):
        inputs = {"word": hex_word(word), "action": {"direction": 2, "power": 7, "block": False}}
        yield _named(name, Rules(), inputs | {"battleSeed": hex_long(1)})


def _decoding_cases() -> Iterator[Inputs]:
    """Positions of every kind with logits that often tie, then those made for one rule each."""
    for i in range(60):
        spread = (3, 9, 60, 1 << 15)[i % 4]
        values = [draw(46_000 + i, n) % (2 * spread) - spread for n in range(LAYERS[-1])]
        word = hex_word(varied_word(47_000 + i, Rules()))
        yield {"name": f"word {i}", "word": word, "logits": values}
    for name, position, logits in decoding_cases():
        yield {"name": name, "word": hex_word(position), "logits": logits}


def _body(power: int, defense: int, stamina: int) -> bytes:
    """A DNA with these stats; its hp follows from them."""
    return bytes([power - 48, defense, stamina - 12]) + bytes(29)


TOUGH, FRAIL = _body(50, 56, 12), _body(99, 117, 25)
"""Born with 180 and with 120 hp: two thirds of the one are as much as all of the other."""


def _outcome_cases() -> Iterator[Inputs]:
    """Shares of hp equal and unequal, kills early and in the last turn, matches that go on; for A
    and B, whoever acts first and whoever would act now."""
    rules = Rules()
    for name, turn, left_a, left_b in (
        ("untouched, shares equal", 60, 180, 120),
        ("shares equal", 60, 90, 60),
        ("share of A less by one hp", 60, 89, 60),
        ("share of B less by one hp", 60, 90, 59),
        ("equal hp, B born with less", 60, 100, 100),
        ("one hp each", 60, 1, 1),
        ("A dies in the last turn", 60, 0, 1),
        ("B dies in the last turn", 60, 1, 0),
        ("A dies early", 7, 0, 120),
        ("B dies early", 8, 180, 0),
        ("goes on", 59, 1, 120),
        ("goes on at once", 0, 180, 120),
        ("more hp than born with", 60, 255, 171),
    ):
        for seed, late in itertools.product((5, 5 | 1 << 6), (0, 1)):
            season = replace(rules, max_turns=rules.max_turns + late)
            p = unpack(start_match(TOUGH, FRAIL, seed, season))
            p.turn = turn + late
            a_is_self = a_acts_first(seed) == (p.turn % 2 == 0)
            a, b = (p.self_, p.enemy) if a_is_self else (p.enemy, p.self_)
            a.pos, b.pos, a.hp, b.hp = 8, 9, left_a, left_b
            p.walls = p.hazards = 0
            inputs = {
                "word": hex_word(pack(p)),
                "dnaA": hex_bytes(TOUGH),
                "dnaB": hex_bytes(FRAIL),
                "battleSeed": hex_long(seed),
            }
            place = f"A {'acts first' if a_acts_first(seed) else 'acts second'}, turn {p.turn}"
            yield _named(f"{name}; {place}", season, inputs)


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
    yield from _body_match_cases()


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
        if i == 0:  # which ends with a kill in its 37th turn
            yield _named("a kill in the last turn", Rules(max_turns=37), inputs)
            yield _named("a turn short of the kill", Rules(max_turns=36), inputs)


def _body_match_cases() -> Iterator[Inputs]:
    """Two activations of the bodies at the ends of the stats: the first word shows them."""
    bodies = [_body(*stats) for stats in itertools.product((48, 111), (0, 127), (12, 22, 23, 31))]
    for i, (a, b) in enumerate(itertools.pairwise([*bodies, bytes([255] * 32)])):
        if i % 2 == 0:
            inputs = {
                "dnaA": hex_bytes(a),
                "dnaB": hex_bytes(b),
                "battleSeed": hex_long(draw(68_000, i)),
                "brains": [{"mask": 0x11, "weights": _hunter(30, True)}, {"mask": 0x11}],
            }
            yield _named(f"bodies {i} and {i + 1}", Rules(max_turns=2), inputs)


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


def _state_cases() -> Iterator[Inputs]:
    """Weights at both ends, drawn over their range, and one by one at the ends of rows and groups;
    headers of nothing, of anything, of the most that their fields hold."""
    ends = [0, 127, 128, 4_095, 4_096, 4_159, 12_287, 12_288, 16_383, 16_384, 16_447, 16_895]
    listed = [{"index": index, "value": 100 + place} for place, index in enumerate(ends)]
    brains: tuple[tuple[str, Inputs], ...] = (
        ("every weight at its least", {"weights": [], "rest": WEIGHT_MIN}),
        ("every weight at its most", {"weights": [], "rest": WEIGHT_MAX}),
        ("no weights", {"weights": []}),
        ("the ends of layers", {"weights": listed}),
        ("the ends of layers over −1", {"weights": listed, "rest": -1}),
        *((f"wild weights {i}", {"wildWeights": hex_long(draw(91_000, i))}) for i in range(4)),
    )
    for i, (name, weights) in enumerate(brains):
        most = i == 1
        r = [draw(92_000 + i, n) for n in range(4)]
        header = {
            "beastId": hex_word((1 << 256) - 1 if most else i),
            "parent": hex_bytes(bytes([255] * 32) if most else _bytes32(93_000 + i)),
            "globalStep": 0xFFFF_FFFF if most else r[0] >> 32,
            "mask": 255 if most else r[1] & 255,
            "windowLoss": 0xFFFF_FFFF if most else r[2] % 524_161,
            "arena": hex_word((1 << 256) - 1 if most else (0, varied_word(r[3], Rules()))[i % 2]),
        }
        yield {"name": name} | header | weights


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
        # Neither is a valid word: steps on them are null steps.
        words[3] = 0
        words[4] |= 5 << 178  # self's heading is one that there is not
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
    # Arenas played on to the last word that a season allows, to the last turn, or never.
    for i, (words, turns) in enumerate(((1, 60), (3, 60), (127, 254), (127, 5), (4, 8))):
        inputs = {
            "beastId": hex_word(400 + i),
            "dna": hex_bytes(_bytes32(87_000 + i)),
            "windows": [_window(88_000 + i, Source.SELF_PLAY, 0xFF, 7, 9)],
        }
        rules = Rules(self_play_words=words, max_turns=turns, crit_odds=3)
        yield _named(f"self-play of {words} words a match, {turns} turns", rules, inputs)
    inputs = {
        "beastId": hex_word(300),
        "dna": hex_bytes(_bytes32(85_000)),
        "windows": [_window(86_000, Source.PRIVATE, 0xFF, 7, 9) | {"records": [hex_word(0)]}],
    }
    yield _named("nothing but null steps", Rules(), inputs)


_CASES = {
    "labels": _label_cases,
    "features": _feature_cases,
    "decoding": _decoding_cases,
    "combat": _combat_cases,
    "outcomes": _outcome_cases,
    "matches": _match_cases,
    "genesis": _genesis_cases,
    "states": _state_cases,
    "windows": _window_cases,
}


def _merge(inputs: Any, outputs: Any) -> Any:
    """Outputs beside the inputs they belong to."""
    if isinstance(inputs, dict) and isinstance(outputs, dict):
        return inputs | {k: _merge(inputs.get(k), value) for k, value in outputs.items()}
    if isinstance(inputs, list) and isinstance(outputs, list):
        return [_merge(left, right) for left, right in zip(inputs, outputs, strict=True)]
    return outputs


@cache
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
