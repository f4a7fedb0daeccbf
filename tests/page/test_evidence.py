"""Evidence bundles in the browser: the page says of each what the command line says of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from chainbeasts.backend.chain.openings import records_opening
from chainbeasts.backend.chain.types import Checkpoint, CheckpointPayload
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.constants import SEGMENT_STEPS, WINDOW_STEPS
from chainbeasts.backend.kernel.merkle import root
from chainbeasts.backend.kernel.rng import fold64, split_mix64
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import State, encode_state, state_hash
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.kernel.window import (
    WindowContext,
    genesis_state,
    open_window,
    run_window,
    step_window,
)
from chainbeasts.backend.store.private import PrivateDataset
from chainbeasts.trainer.datasets.pack import compress
from chainbeasts.validator.evidence import archive
from chainbeasts.validator.evidence.bundle import pack_opening
from chainbeasts.validator.evidence.check import verify
from chainbeasts.validator.evidence.manifest import (
    CheckpointPart,
    ClaimPart,
    ContextPart,
    DatasetPart,
    DisputePart,
    EventPart,
    Manifest,
    MatchPart,
)
from chainbeasts.validator.judge.cases import digest_of
from chainbeasts.validator.judge.replay import first_divergent
from tests.page.runner import run_node

BEAST = 7
DNA = bytes(keccak(b"a beast"))
SECRET = bytes(keccak(b"a secret"))
LEDGER, COURT, TRAINER, FILER = ("0x" + f"{n:02x}" * 20 for n in (17, 34, 51, 68))
WORDS = tuple(random_position(split_mix64(n), None, Rules()) for n in range(300))
LIE_STEP = 37
Members = Mapping[str, bytes]


@dataclass(frozen=True)
class Told:
    """A window as its trainer tells of it, and the truth."""

    parent: State
    end: State
    posted: list[bytes]
    true: list[bytes]
    context: WindowContext


def tell(source: Source, index: int, *, lies: bool) -> Told:
    """Train a window; a liar changes a weight after a step and goes on."""
    reads = source in (Source.BATTLE, Source.PRIVATE)
    words = WORDS[:60] if source is Source.BATTLE else WORDS
    context = WindowContext(
        dna=DNA,
        epoch_seed=bytes(keccak(b"an epoch")),
        heads=7,
        lr_shift=9,
        source=source,
        rules=Rules(),
        owner_secret_fold=fold64(SECRET) if source is Source.PRIVATE else 0,
        records_root=root(words) if reads else bytes(32),
        records_length=len(words) if reads else 0,
    )
    parent = genesis_state(BEAST, DNA)
    if index:
        parent = open_window(parent, 0xFF)
        parent.update(global_step=WINDOW_STEPS * index)
    true_end, end = open_window(parent, 0xFF), open_window(parent, 0xFF)
    records = words.__getitem__ if reads else None
    true = run_window(context, true_end, records=records)
    posted = []
    for step in range(WINDOW_STEPS):
        step_window(context, end, records)
        if lies and step == LIE_STEP:
            end.weights[16_000] += 11
        if step % SEGMENT_STEPS == SEGMENT_STEPS - 1:
            posted.append(state_hash(end))
    return Told(parent, end, posted, true, context)


def members_of(
    source: Source, *, index: int = 0, lies: bool = True, answered: bool = True, whole: bool = False
) -> dict[str, bytes]:
    """A bundle about such a window, as `dispute bundle` makes it.

    Args:
        answered: the trainer has opened its segments.
        whole: of a private window, the whole dataset in place of its opened records.
    """
    told = tell(source, index, lies=lies)
    members: dict[str, bytes] = {}
    dataset: DatasetPart | None = None
    match: MatchPart | None = None
    if source is Source.PRIVATE:
        data = PrivateDataset(WORDS, SECRET, compress(WORDS))
        dataset = DatasetPart(
            c_dataset=bytes(keccak(data.compressed)),
            records_root=told.context.records_root,
            dataset_length=len(WORDS),
            owner_secret_hash=bytes(keccak(SECRET)),
            secret=SECRET,
        )
        opened = pack_opening(records_opening(data, DNA, index))
        members |= {archive.DATASET: data.compressed} if whole else {archive.RECORDS: opened}
    if source is Source.BATTLE:
        match = MatchPart(log_root=told.context.records_root, turns=60)
        members[archive.MATCH_LOG] = b"".join(map(word_bytes, WORDS[:60]))
    if index:
        members[archive.PARENT] = encode_state(told.parent)
    if lies:
        members[archive.PUBLISHED] = encode_state(told.end)
    record = record_of(told, source, index)
    manifest = Manifest(
        kernel_id=KERNEL_ID,
        chain_id=31_337,
        ledger=LEDGER,
        court=COURT,
        beast_id=BEAST,
        checkpoint=CheckpointPart.of(record),
        digest=digest_of(31_337, LEDGER, BEAST, record),
        context=ContextPart(
            dna=DNA,
            epoch_seed=told.context.epoch_seed,
            heads=7,
            rules={name: getattr(Rules(), name) for name in Rules.__slots__},
        ),
        dataset=dataset,
        match=match,
        dispute=DisputePart(
            dispute_id=3,
            filer=FILER,
            status="opened" if answered else "filed",
            conviction=None,
            segments=told.posted if answered else None,
        ),
        claim=claim_of(told, lies=lies, answered=answered),
        events=[EventPart(name="CheckpointSubmitted", block=9, transaction=bytes(range(32)))],
    )
    return members | {archive.MANIFEST: manifest.encode()}


def record_of(told: Told, source: Source, index: int) -> Checkpoint:
    header = told.end.header
    payload = CheckpointPayload(
        epoch=2,
        h128=told.posted[-1],
        energy_burn=10**17,
        lr_shift=9,
        active_mask=header.active_mask,
        global_step=header.global_step,
        window_loss=header.window_loss,
        source=source,
        source_id=5 if source is Source.BATTLE else 0,
    )
    parent = state_hash(told.parent) if index else DNA
    return Checkpoint(index, 0, parent, payload, 1, TRAINER, 1_800_000_000, 10**18, 10**19)


def claim_of(told: Told, *, lies: bool, answered: bool) -> ClaimPart:
    reason = "recomputed, same hash"
    if lies:
        said, true = (f"0x{h.hex()[:16]}…" for h in (told.posted[-1], told.true[-1]))
        reason = f"h128 is {said}, the replay gives {true}"
    return ClaimPart(
        verdict="invalid" if lies else "valid",
        reason=reason,
        segments=told.true,
        first_divergent=first_divergent(told.true, told.posted) if answered else None,
    )


def changed(members: Members, *where: str, value: Any) -> bytes:
    """The bundle with another value in its manifest."""
    manifest = json.loads(members[archive.MANIFEST])
    at = manifest
    for name in where[:-1]:
        at = at[name]
    at[where[-1]] = value
    return archive.pack({**members, archive.MANIFEST: json.dumps(manifest).encode()})


def zipped(members: Members, compression: int = zipfile.ZIP_STORED) -> bytes:
    """Any members, also such as no bundle has."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return buffer.getvalue()


def honest_bundles() -> dict[str, bytes]:
    """One of each kind, wrong and right."""
    return {
        "curriculum": archive.pack(members_of(Source.CURRICULUM)),
        "right": archive.pack(members_of(Source.CURRICULUM, lies=False)),
        "self-play, later": archive.pack(members_of(Source.SELF_PLAY, index=2)),
        "battle": archive.pack(members_of(Source.BATTLE, index=1)),
        "opened records": archive.pack(members_of(Source.PRIVATE, index=1)),
        "whole dataset": archive.pack(members_of(Source.PRIVATE, whole=True)),
        "unanswered": archive.pack(members_of(Source.CURRICULUM, answered=False)),
    }


ZEROS, SOME = "0x" + "00" * 32, "0x" + "ab" * 32
RULES = {name: getattr(Rules(), name) for name in Rules.__slots__}


def false_bundles() -> dict[str, bytes]:
    """What claims something else than it shows; both sides name the same."""
    base = members_of(Source.CURRICULUM)
    return {
        "verdict": changed(base, "claim", "verdict", value="valid"),
        "reason": changed(base, "claim", "reason", value="because"),
        "segments": changed(base, "claim", "segments", value=[SOME] * 16),
        "divergent": changed(base, "claim", "first_divergent", value=3),
        "posted": changed(base, "dispute", "segments", value=[SOME] * 16),
        "seed": changed(base, "context", "epoch_seed", value=SOME),
        "fewer heads": changed(base, "context", "heads", value=1),
        "damage": changed(base, "context", "rules", value=RULES | {"damage_k": 9}),
    }


def hostile_bundles() -> dict[str, bytes]:
    """What is refused before anything is computed, or because its hashes do not fit."""
    first, later = members_of(Source.CURRICULUM), members_of(Source.SELF_PLAY, index=2)
    private = members_of(Source.PRIVATE, index=1)
    whole, battle = members_of(Source.PRIVATE, whole=True), members_of(Source.BATTLE)
    good, parent = archive.pack(later), later[archive.PARENT]
    records, log = private[archive.RECORDS], battle[archive.MATCH_LOG]
    reordered = records[1:128] + records[:1] + records[128:]
    flipped = bytearray(good)
    flipped[good.index(parent) + 5_000] ^= 1
    return {
        "empty": b"",
        "no zip": b"PK" * 40,
        "cut off": good[: len(good) // 2],
        "too large": good + bytes(760_000),
        "compressed": zipped(later, zipfile.ZIP_DEFLATED),
        "stranger": zipped({**later, "../../etc/passwd": b""}),
        "large member": zipped({**later, archive.PARENT: bytes(40_000)}),
        "damaged": bytes(flipped),
        "no manifest": zipped({archive.PARENT: parent}),
        "no json": zipped({**first, archive.MANIFEST: b"\xff\xfe"}),
        "deep json": zipped({**first, archive.MANIFEST: b"[" * 60_000}),
        "no parent": zipped({archive.MANIFEST: later[archive.MANIFEST]}),
        "parent of a first": zipped({**first, archive.PARENT: parent}),
        "other parent": zipped({**later, archive.PARENT: parent[:-1] + b"\xff"}),
        "guard bit": zipped({**later, archive.PARENT: bytes(33_984)}),
        "short parent": zipped({**later, archive.PARENT: parent[:-1]}),
        "other end": zipped({**later, archive.PUBLISHED: parent}),
        "dataset of none": zipped({**first, archive.DATASET: b"x"}),
        "log of none": zipped({**first, archive.MATCH_LOG: bytes(32)}),
        "both": zipped({**private, archive.DATASET: whole[archive.DATASET]}),
        "neither": zipped({archive.MANIFEST: private[archive.MANIFEST]}),
        "other dataset": zipped({**whole, archive.DATASET: compress(WORDS[:299])}),
        "dataset cut": zipped({**whole, archive.DATASET: whole[archive.DATASET][:-9]}),
        "other order": zipped({**private, archive.RECORDS: reordered}),
        "other record": zipped({**private, archive.RECORDS: records[:200] + b"\0" + records[201:]}),
        "record cut": zipped({**private, archive.RECORDS: records[:-32]}),
        "records cut": zipped({**private, archive.RECORDS: records[:100]}),
        "other log": zipped({**battle, archive.MATCH_LOG: bytes([log[0] ^ 1]) + log[1:]}),
        "short log": zipped({**battle, archive.MATCH_LOG: log[:-32]}),
        "heads": changed(first, "context", "heads", value=2),
        "rules": changed(first, "context", "rules", value={"damage_k": 1}),
        "rule": changed(first, "context", "rules", value=RULES | {"max_turns": 0}),
        "digest": changed(first, "checkpoint", "bond", value="7"),
        "bond": changed(first, "checkpoint", "bond", value=7.5),
        "long bond": changed(first, "checkpoint", "bond", value="9" * 100),
        "index": changed(first, "checkpoint", "index", value=-1),
        "source": changed(first, "checkpoint", "payload", "source", value=3),
        "chain": changed(first, "chain_id", value=1),
        "kernel": changed(first, "kernel_id", value=ZEROS),
        "hash": changed(first, "kernel_id", value="0x12"),
        "format": changed(first, "format", value="chainbeasts-evidence-2"),
        "more": changed(first, "more", value=1),
        "events": changed(first, "events", value=[{}] * 300),
        "truth for a number": changed(first, "chain_id", value=True),
    }  # fmt: skip


def case_of(name: str, data: bytes, folder: Path) -> dict[str, Any]:
    """A file and what the command line says of it."""
    path = folder / f"{name.replace(' ', '-')}.zip"
    path.write_bytes(data)
    case: dict[str, Any] = {"name": name, "path": str(path)}
    try:
        if len(data) > archive.MAX_FILE_BYTES:
            archive.read(path)
        found = verify(archive.unpack(data))
    except ChainBeastsError:
        return case | {"refused": True}
    return case | {
        "refused": False,
        "right": str(found.judgement.verdict) == "valid",
        "reason": found.judgement.reason,
        "segments": ["0x" + h.hex() for h in found.judgement.segments],
        "wrong": found.first_divergent,
        "differences": list(found.differences),
    }


def test_page_says_of_a_bundle_what_the_command_line_says(tmp_path: Path) -> None:
    kinds = (honest_bundles(), false_bundles(), hostile_bundles())
    honest, false, hostile = (
        [case_of(name, data, tmp_path) for name, data in bundles.items()] for bundles in kinds
    )
    assert [case["name"] for case in honest if case["refused"] or case["differences"]] == []
    assert [case["name"] for case in false if case["refused"] or not case["differences"]] == []
    assert [case["name"] for case in hostile if not case["refused"]] == []
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([*honest, *false, *hostile]))
    run_node("evidence.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))
