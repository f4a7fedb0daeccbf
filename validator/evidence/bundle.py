"""Makes a bundle of a case, and a window of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eth_hash.auto import keccak
from sqlalchemy import select

from chainbeasts.backend.chain.openings import RecordsOpening
from chainbeasts.backend.chain.types import ZERO32, Checkpoint
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel import merkle
from chainbeasts.backend.kernel.board import word_bytes
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import (
    MalformedStateError,
    State,
    decode_state,
    encode_state,
    state_hash,
)
from chainbeasts.backend.kernel.tables import KERNEL_ID, kernel_name
from chainbeasts.backend.kernel.window import WindowContext, genesis_state
from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.backend.store.facts import CheckpointRow, DisputeRow, EventRow
from chainbeasts.backend.store.private import WORD_BYTES, open_dataset, words_of
from chainbeasts.validator.evidence.archive import (
    DATASET,
    MANIFEST,
    MATCH_LOG,
    PARENT,
    PUBLISHED,
    RECORDS,
    pack,
)
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
from chainbeasts.validator.judge.cases import Case, CaseReader, digest_of
from chainbeasts.validator.judge.datasets import OpenedRecords
from chainbeasts.validator.judge.replay import Judgement, Window, first_divergent
from chainbeasts.validator.judge.states import Records, StateProvider

MOST_EVENTS = 256
SUBMITTED = "CheckpointSubmitted"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose hashes have been checked.

    Attributes:
        window: what is replayed.
    """

    manifest: Manifest
    window: Window


def make_bundle(
    states: StateProvider,
    case: Case,
    window: Window | None,
    judgement: Judgement,
    row: DisputeRow | None = None,
) -> bytes:
    """The file of a case that has been judged.

    Args:
        window: what was replayed; None if it could not be.
        judgement: the reference's.
        row: the dispute over it, if there is one.

    Raises:
        ChainBeastsError: the window was not judged in full, or its dataset is not public.
    """
    reader = states.reader
    if window is None or judgement.verdict is Verdict.UNAVAILABLE or not judgement.segments:
        raise ChainBeastsError(
            f"There is no evidence yet: {judgement.reason}.",
            "Name the places that have what is missing: --snapshots, --datasets.",
        )
    members: dict[str, bytes] = {}
    dataset = _dataset(states, case)
    if dataset is not None:
        part, name, members[name] = dataset
    if case.index:
        members[PARENT] = encode_state(window.parent)
    right = judgement.segments[-1] == case.checkpoint.payload.h128
    if window.published is not None and not right:
        members[PUBLISHED] = encode_state(window.published)
    deployment, context = reader.chain.deployment, window.context
    match = None
    if case.match_id is not None:
        match = MatchPart(log_root=context.records_root, turns=context.records_length)
        members[MATCH_LOG] = b"".join(map(word_bytes, window.words or ()))
    posted = [] if row is None else row.segment_hashes
    manifest = Manifest(
        kernel_id=KERNEL_ID,
        chain_id=deployment.chain_id,
        ledger=deployment.addresses["CheckpointLedger"],
        court=deployment.addresses["DisputeCourt"],
        beast_id=case.beast_id,
        checkpoint=CheckpointPart.of(case.checkpoint),
        digest=case.digest,
        context=ContextPart(
            dna=case.dna,
            epoch_seed=context.epoch_seed,
            heads=context.heads,  # type: ignore[arg-type]  # one of these three, as it checks
            rules={name: getattr(context.rules, name) for name in context.rules.__slots__},
        ),
        dataset=None if dataset is None else part,
        match=match,
        dispute=None if row is None else _dispute(row),
        claim=ClaimPart(
            verdict="valid" if judgement.verdict is Verdict.VALID else "invalid",
            reason=judgement.reason,
            segments=list(judgement.segments),
            first_divergent=first_divergent(judgement.segments, posted) if posted else None,
        ),
        events=_events(reader, case, row),
    )
    members[MANIFEST] = manifest.encode()
    return pack(members)


def _dataset(states: StateProvider, case: Case) -> tuple[DatasetPart, str, bytes] | None:
    """A private window's records, and the name of their member; only what a dispute has made public
    may leave this machine."""
    if not case.private:
        return None
    committed = states.reader.commitments(case.beast_id)
    opened = states.opened_records(case)
    data = None if opened is not None else states.private_data(case.beast_id)
    if opened is not None:
        secret, name, member = opened.opening.secret, RECORDS, pack_opening(opened.opening)
    elif data is not None and states.reader.chain.secret_fold(case.beast_id) is not None:
        secret, name, member = data.secret, DATASET, data.compressed
    else:
        raise ChainBeastsError(
            "The window's records are private, and no dispute has opened them.",
            "Make the bundle once they are opened.",
        )
    part = DatasetPart(
        c_dataset=committed.c_dataset,
        records_root=committed.records_root,
        dataset_length=committed.dataset_length,
        owner_secret_hash=committed.owner_secret_hash,
        secret=secret,
    )
    return part, name, member


def _dispute(row: DisputeRow) -> DisputePart:
    return DisputePart(
        dispute_id=row.dispute_id,
        filer=row.filer,
        status=row.status,
        conviction=row.conviction,
        segments=row.segment_hashes or None,
    )


def _events(reader: CaseReader, case: Case, row: DisputeRow | None) -> list[EventPart]:
    """The transactions that submitted the checkpoint, disputed it and ended the dispute."""
    mine = (
        CheckpointRow.beast_id == case.beast_id,
        CheckpointRow.index == case.index,
        CheckpointRow.generation == case.checkpoint.generation,
    )
    court = reader.chain.deployment.addresses["DisputeCourt"].lower()
    with reader.database.session() as session:
        submitted = session.scalars(select(CheckpointRow).where(*mine)).one()
        name, block, transaction = SUBMITTED, submitted.block_number, submitted.tx_hash
        found = [EventPart(name=name, block=block, transaction=transaction)]
        if row is None:
            return found
        later = session.scalars(
            select(EventRow)
            .where(EventRow.block_number >= row.block_number)
            .order_by(EventRow.block_number, EventRow.log_index)
        )
        for event in later:
            if event.address.lower() == court and _is_about(event, row.dispute_id):
                name, block, transaction = event.name, event.block_number, event.tx_hash
                found.append(EventPart(name=name, block=block, transaction=transaction))
    return found[:MOST_EVENTS]


def _is_about(event: EventRow, dispute_id: int) -> bool:
    """Whether an event of the court carries a dispute's number."""
    return event.topics[32:64] == dispute_id.to_bytes(32)


def open_bundle(members: Mapping[str, bytes]) -> Bundle:
    """A bundle's window; every state, record and dataset in it is checked by its hash.

    Raises:
        ChainBeastsError: of another kernel, or something in it is not what its hash says.
    """
    manifest = Manifest.decode(members[MANIFEST])
    if manifest.kernel_id != KERNEL_ID:
        raise ChainBeastsError(
            f"The bundle is about kernel {kernel_name(manifest.kernel_id)}, this installation has "
            f"{kernel_name(KERNEL_ID)}.",
            "Use the version of chainbeasts that made it.",
        )
    record = manifest.checkpoint.record()
    beast_id = manifest.beast_id
    if digest_of(manifest.chain_id, manifest.ledger, beast_id, record) != manifest.digest:
        raise ChainBeastsError("The bundle's digest is not that of its checkpoint record.")
    match_log = _open_log(manifest, members.get(MATCH_LOG))
    data = _open_dataset(manifest, members.get(DATASET), members.get(RECORDS))
    parent = _parent(manifest, record, members.get(PARENT))
    published = None
    if PUBLISHED in members:
        published = _state(members[PUBLISHED], record.payload.h128, PUBLISHED)
    context = _context(manifest, record, data)
    words = match_log if data is None else data.words
    opened = () if data is None else data.opened
    window = Window(beast_id, record, context, parent, words, published, opened)
    return Bundle(manifest, window)


def _parent(manifest: Manifest, record: Checkpoint, data: bytes | None) -> State:
    if record.index == 0:
        if data is not None:
            raise ChainBeastsError("The bundle has a parent's state for a beast's first window.")
        return genesis_state(manifest.beast_id, manifest.context.dna)
    if data is None:
        raise ChainBeastsError("The bundle lacks the parent's state.")
    return _state(data, record.parent, PARENT)


def _state(data: bytes, h: bytes, name: str) -> State:
    try:
        state = decode_state(data)
    except MalformedStateError as error:
        raise ChainBeastsError(f"The bundle's {name} is no state: {error}.") from None
    if state_hash(state) != h:
        raise ChainBeastsError(f"The bundle's {name} has another hash than its record names.")
    return state


def _open_dataset(
    manifest: Manifest, compressed: bytes | None, opened: bytes | None
) -> Records | None:
    """The records of a private window: the whole dataset, or those that it samples."""
    private = manifest.checkpoint.payload.source == Source.PRIVATE
    some = (compressed is not None) + (opened is not None)
    if (manifest.dataset is not None, some) != (private, int(private)):
        raise ChainBeastsError("The bundle has a dataset and no private window, or the reverse.")
    part = manifest.dataset
    if part is None:
        return None
    if compressed is not None:
        return Records.of(open_dataset(compressed, part.secret, part.commitments()))
    assert opened is not None
    return _open_records(manifest, part, opened)


def _open_records(manifest: Manifest, part: DatasetPart, data: bytes) -> Records:
    """The records that a window samples, checked against the committed root and secret."""
    if bytes(keccak(part.secret)) != part.owner_secret_hash:
        raise ChainBeastsError("The bundle's secret is not the committed one.")
    place = (manifest.context.dna, part.dataset_length, manifest.checkpoint.index)
    try:
        opening = unpack_opening(part.secret, data)
        root = opening.root(*place)
    except (ValueError, IndexError) as error:
        raise ChainBeastsError(f"The bundle's {RECORDS} is no opening: {error}.") from None
    if root != part.records_root:
        raise ChainBeastsError(f"The bundle's {RECORDS} does not have the committed Merkle root.")
    found = OpenedRecords.of(opening, *place)
    return Records(found.by_index, found.fold, found.in_order)


def pack_opening(opening: RecordsOpening) -> bytes:
    """An opening as its member: the order, the words, the siblings (docs/spec/evidence.md)."""
    words = b"".join(map(word_bytes, opening.words))
    return opening.order + words + b"".join(opening.siblings)


def unpack_opening(secret: bytes, data: bytes) -> RecordsOpening:
    """The opening of a member.

    Raises:
        ValueError: it is none.
    """
    order, rest = data[:WINDOW_STEPS], data[WINDOW_STEPS:]
    if len(order) != WINDOW_STEPS or len(rest) % WORD_BYTES:
        raise ValueError("it is cut off")
    count = max(order) + 1
    words = words_of(rest[: WORD_BYTES * count])
    if len(words) != count:
        raise ValueError("it lacks a word that its order names")
    after = rest[WORD_BYTES * count :]
    siblings = tuple(after[i : i + WORD_BYTES] for i in range(0, len(after), WORD_BYTES))
    return RecordsOpening(secret, order, words, siblings)


def _open_log(manifest: Manifest, data: bytes | None) -> tuple[int, ...] | None:
    """The log of a BATTLE window's match, with the root that the manifest states."""
    battle, match = manifest.checkpoint.payload.source == Source.BATTLE, manifest.match
    if (match is not None, data is not None) != (battle, battle):
        raise ChainBeastsError("The bundle has a match and no BATTLE window, or the reverse.")
    if match is None or data is None:
        return None
    words = words_of(data)
    if len(data) != WORD_BYTES * match.turns or merkle.root(words) != match.log_root:
        raise ChainBeastsError("The bundle's match.log does not have the root that it states.")
    return words


def _context(manifest: Manifest, record: Checkpoint, data: Records | None) -> WindowContext:
    facts, committed, match = manifest.context, manifest.dataset, manifest.match
    root, length = ZERO32, 0
    if committed is not None:
        root, length = committed.records_root, committed.dataset_length
    elif match is not None:
        root, length = match.log_root, match.turns
    try:
        return WindowContext(
            dna=facts.dna,
            epoch_seed=facts.epoch_seed,
            heads=facts.heads,
            lr_shift=record.payload.lr_shift,
            source=record.payload.source,
            rules=facts.season_rules(),
            owner_secret_fold=0 if data is None else data.fold,
            records_root=root,
            records_length=length,
        )
    except ValueError as error:
        raise ChainBeastsError(f"The bundle's window cannot be computed: {error}.") from None
