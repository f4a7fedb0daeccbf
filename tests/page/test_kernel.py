"""The page's JavaScript kernel: published vectors, and the NumPy reference where there are none."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from eth_hash.auto import keccak

from chainbeasts.backend.api.events import AMOUNTS, KIND_OF
from chainbeasts.backend.api.portrait import svg
from chainbeasts.backend.chain.openings import records_opening
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.combat import (
    DRAW,
    Action,
    RefusedWordError,
    activate,
    decode_action,
    play_match,
)
from chainbeasts.backend.kernel.constants import WEIGHTS
from chainbeasts.backend.kernel.features import features
from chainbeasts.backend.kernel.genesis import genesis_mask, genesis_weights
from chainbeasts.backend.kernel.held_out import MoveExam, held_out
from chainbeasts.backend.kernel.labels import label, optimal_steps
from chainbeasts.backend.kernel.network import forward, output_errors
from chainbeasts.backend.kernel.rng import draw, fold64, split_mix64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import random_position
from chainbeasts.backend.kernel.state import Header, State, encode_state, state_hash
from chainbeasts.backend.kernel.tables import TEMPLATES
from chainbeasts.backend.kernel.vector_words import varied_word
from chainbeasts.backend.nicknames import nickname
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.trainer.metrics.accuracy import Probe
from tests.page.runner import run_node as _run

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "backend" / "api" / "page"
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
WORDS = 24
POSITIONS = 96
BOARDS = 256
ALL_HEADS = 7
TURNS = 400
RECORDS = 300
MASKS = (0x11, 0x3F, 0xA5, 0xFF)


def test_page_kernel_agrees_with_the_specification() -> None:
    _run("kernel.test.mjs")


def test_page_trains_whole_windows_as_the_specification() -> None:
    _run("windows.test.mjs")


def test_page_chooses_refuses_and_judges_by_the_rules() -> None:
    _run("rules.test.mjs")


def test_clock_news_and_addresses_of_the_frame() -> None:
    _run("frame.test.mjs")


def test_requests_end() -> None:
    _run("api.test.mjs")


def test_every_event_that_is_told_of_has_a_sentence(tmp_path: Path) -> None:
    amounts: dict[str, list[str]] = {
        event: [name for name, _ in moved.values()] for event, moved in AMOUNTS.items()
    }
    amounts |= {"CheckpointSubmitted": ["price", "bond"], "RewardSettled": ["filing", "proof"]}
    path = tmp_path / "events.json"
    path.write_text(json.dumps({"events": sorted(KIND_OF), "amounts": amounts}))
    _run("activity.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


def test_no_live_figure_takes_others_away() -> None:
    _run("live.test.mjs")


def test_page_draws_the_portraits_of_the_tokens(tmp_path: Path) -> None:
    path = tmp_path / "portraits.json"
    dnas = [b"".join(draw(seed, n).to_bytes(8) for n in range(4)) for seed in range(200)]
    path.write_text(
        json.dumps([{"dna": _hex(dna), "name": nickname(dna), "svg": svg(dna)} for dna in dnas])
    )
    _run("portrait.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b")


def test_nothing_in_the_page_becomes_markup_or_comes_from_elsewhere() -> None:
    for path in sorted(PAGE.rglob("*.js")):
        text = path.read_text("utf-8")
        assert MARKUP.search(text) is None, path
        assert re.findall(r"https?://[^\s\"]*", text.replace(SVG_NAMESPACE, "")) == [], path
    index = (PAGE / "index.html").read_text("utf-8")
    assert "<style" not in index
    assert " style=" not in index
    assert re.findall(r"<script(?![^>]* src=)", index) == []


def _wild(seed: int, mask: int) -> State:
    """Weights over their whole range, so that activations meet both limits."""
    weights = [((draw(seed, i) >> 2) % 32_768) - 16_384 for i in range(WEIGHTS)]
    header = Header(seed, bytes(32), seed, mask, 0, 0)
    return State(header, np.array(weights, dtype=np.int16))


def _born(beast_id: int, dna: bytes) -> State:
    header = Header(beast_id, dna, 0, genesis_mask(dna), 0, 0)
    return State(header, genesis_weights(dna))


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"


def _decide(state: State, word: int) -> Action:
    logits = forward(state.weights, state.header.active_mask, features(word))[-1]
    return decode_action(logits.tolist(), word)


def _forward_case(state: State) -> dict[str, object]:
    words = [random_position(split_mix64(n), None, Rules()) for n in range(WORDS)]
    logits = [
        forward(state.weights, state.header.active_mask, features(word))[-1].tolist()
        for word in words
    ]
    first = forward(state.weights, state.header.active_mask, features(words[0]))
    return {
        "name": f"mask {state.header.active_mask}",
        "activations": [layer.tolist() for layer in first],
        "state": _hex(encode_state(state)),
        "words": [_hex(word_bytes(word)) for word in words],
        "logits": logits,
    }


def _position_case(seed: int) -> dict[str, object]:
    """A position drawn under some season's rules, on a terrain of the tables or a random one."""
    template = None if seed & 1 else seed % 64
    rules = Rules(block_gain=1 + 37 * seed % 255, block_cap=1 + 91 * seed % 127)
    terrain = None if template is None else TEMPLATES[template]
    return {
        "state": hex(split_mix64(seed)),
        "template": template,
        "rules": {"blockGain": rules.block_gain, "blockCap": rules.block_cap},
        "word": _hex(word_bytes(random_position(split_mix64(seed), terrain, rules))),
    }


def _loss_case(seed: int) -> dict[str, object]:
    """The errors of some logits, small and as large as they come."""
    r, word = split_mix64(seed), varied_word(seed, Rules())
    span = 40 if seed & 1 else 20_000
    logits = [draw(r, k) % (2 * span) - span for k in range(8)]
    heads = (1, 3, 7)[seed % 3]
    errors = output_errors(logits, label(word, Rules()), heads)
    return {
        "word": _hex(word_bytes(word)),
        "logits": logits,
        "heads": heads,
        "errors": errors.tolist(),
        "loss": int(np.abs(errors).sum()),
    }


def _brain_case(state: State) -> dict[str, object]:
    """A brain, and what the trainer measures of it on the held-out boards."""
    words, weights = held_out(BOARDS, Rules()), state.weights
    mask = state.header.active_mask
    tally = Probe(words, Rules()).tally(weights, mask)
    losses = [
        np.abs(
            output_errors(
                forward(weights, mask, features(word))[-1].tolist(), label(word, Rules()), ALL_HEADS
            )
        ).sum()
        for word in words
    ]
    return {
        "state": _hex(encode_state(state)),
        "marks": {
            "loss": float(np.mean(losses)),
            "exact": tally.move_accuracy,
            "optimal": MoveExam.of(BOARDS, Rules()).accuracy(weights, mask),
            "block": tally.block_accuracy,
            "strike": tally.attack_mae,
        },
    }


def _match_case(seed: int) -> dict[str, object]:
    dnas = [b"".join(draw(seed + side, n).to_bytes(8) for n in range(4)) for side in (1_000, 2_000)]
    states = [_born(side + 1, dna) for side, dna in enumerate(dnas)]
    match = play_match(
        dnas[0],
        dnas[1],
        split_mix64(seed),
        Rules(),
        lambda word: _decide(states[0], word),
        lambda word: _decide(states[1], word),
    )
    return {
        "stateA": _hex(encode_state(states[0])),
        "stateB": _hex(encode_state(states[1])),
        "hashes": [_hex(state_hash(state)) for state in states],
        "dnaA": _hex(dnas[0]),
        "dnaB": _hex(dnas[1]),
        "battleSeed": f"0x{split_mix64(seed):016x}",
        "words": [_hex(word_bytes(word)) for word in match.words],
        "result": 2 if match.winner == DRAW else match.winner,
        "logRoot": _hex(match.log_root),
    }


def _turn_case(seed: int) -> dict[str, object]:
    """One turn in a word of which one byte may be anything: the action and the next word, or null.

    Three in four words have such a byte; some of these are valid all the same.
    """
    r = split_mix64(seed)
    word = varied_word(seed, Rules())
    if r & 3:
        word ^= ((r >> 2) & 0xFF) << 8 * ((r >> 10) % 32)
    logits = [(draw(r, k) % 400) - 200 for k in range(8)]
    case: dict[str, object] = {"word": _hex(word_bytes(word)), "logits": logits, "seed": hex(r)}
    try:
        action = decode_action(logits, word)
    except RefusedWordError:
        return case | {"action": None, "next": None}
    try:
        after = _hex(word_bytes(activate(word, action, Rules(), r)))
    except RefusedWordError:
        after = None
    return case | {"action": asdict(action), "next": after}


def test_page_takes_any_turn_as_the_reference(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    cases = [_turn_case(seed) for seed in range(TURNS)]
    refused = sum(case["action"] is None for case in cases)
    assert 0.1 < refused / TURNS < 0.9
    path.write_text(json.dumps(cases))
    _run("turns.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


def test_page_thinks_and_fights_as_the_reference(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    born = [_born(1, bytes(draw(7, n) & 0xFF for n in range(32)))]
    states = [*born, *(_wild(n + 1, mask) for n, mask in enumerate(MASKS))]
    cases = {
        "forward": [_forward_case(state) for state in states],
        "matches": [_match_case(seed) for seed in range(6)],
        "positions": [_position_case(seed) for seed in range(POSITIONS)],
        "losses": [_loss_case(seed) for seed in range(POSITIONS)],
        "heldOut": [
            {"word": _hex(word_bytes(word)), "optimal": optimal_steps(word, Rules())}
            for word in held_out(POSITIONS, Rules())
        ],
    }
    path.write_text(json.dumps(cases))
    _run("network.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


def _opening_case() -> dict[str, object]:
    """A private window's records as a dispute opens them: some words are sampled more than once."""
    words = tuple(random_position(split_mix64(n), None, Rules()) for n in range(RECORDS))
    data = PrivateDataset(words, bytes(range(32)), b"")
    dna, index = keccak(b"opened"), 3
    opening = records_opening(data, dna, index)
    return {
        "dna": _hex(dna),
        "index": index,
        "length": RECORDS,
        "secret": _hex(data.secret),
        "secret_hash": _hex(keccak(data.secret)),
        "root": _hex(opening.root(dna, RECORDS, index)),
        "order": list(opening.order),
        "words": [_hex(word_bytes(word)) for word in opening.words],
        "siblings": [_hex(sibling) for sibling in opening.siblings],
        "records": [
            [record, _hex(word_bytes(word))]
            for record, word in sorted(opening.records(dna, RECORDS, index).items())
        ],
    }


def test_page_computes_a_disputed_window_again_and_names_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"opening": _opening_case()}))
    _run("case.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


def test_page_tells_whose_move_it_is_and_what_each_end_of_a_dispute_pays() -> None:
    _run("dispute.test.mjs")


def test_page_verifies_a_true_record_names_every_lie_and_records_no_other(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"matches": [_match_case(3)]}))
    _run("verify.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))
    _run("record.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


def test_page_shows_a_mind_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    born = [_born(1, bytes(draw(seed, n) & 0xFF for n in range(32))) for seed in (7, 8)]
    states = [*born, _wild(3, 0xFF), _wild(4, 0xA5)]
    cases = {
        "boards": BOARDS,
        "brains": [_brain_case(state) for state in states],
    }
    path.write_text(json.dumps(cases))
    _run("mind.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


def _bout_cases(seed: int, count: int) -> dict[str, object]:
    """Matches of the two of `_match_case(seed)` on some seeds, from both sides."""
    dnas = [b"".join(draw(seed + side, n).to_bytes(8) for n in range(4)) for side in (1_000, 2_000)]
    states = [_born(side + 1, dna) for side, dna in enumerate(dnas)]
    found = []
    for n in range(count):
        for a, b in ((0, 1), (1, 0)):
            played = play_match(
                dnas[a],
                dnas[b],
                draw(seed, n),
                Rules(),
                partial(_decide, states[a]),
                partial(_decide, states[b]),
            )
            result = 2 if played.winner == DRAW else played.winner
            found.append({"a": a, "b": b, "result": result, "turns": len(played.words)})
    return {"first": str(seed), "seeds": count, "bouts": found}


def _seed_case(seed: int) -> dict[str, object]:
    """What `Arena.drawSeed` computes."""
    block_hash = b"".join(draw(seed, n).to_bytes(8) for n in range(4))
    arena, match = draw(seed, 9).to_bytes(8) + block_hash[:12], draw(seed, 10) >> 40
    encoded = block_hash + bytes(12) + arena + match.to_bytes(32)
    drawn = fold64(keccak(encoded))
    return {"hash": _hex(block_hash), "arena": _hex(arena), "match": match, "seed": str(drawn)}


def test_page_supposes_and_compares_by_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    cases = {
        "matches": [_match_case(5)],
        "bouts": _bout_cases(5, 4),
        "seeds": [_seed_case(seed) for seed in range(8)],
    }
    path.write_text(json.dumps(cases))
    _run("battle.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))
