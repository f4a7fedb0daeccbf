"""Makes a bundle of a case, and a window of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from backend.chain.types import ZERO32, Checkpoint
from backend.errors import ChainBeastsError
from backend.kernel import merkle
from backend.kernel.board import word_bytes
from backend.kernel.samples import Source
from backend.kernel.state import (
    MalformedStateError,
    State,
    decode_state,
    encode_state,
    state_hash,
)
from backend.kernel.tables import KERNEL_ID
from backend.kernel.window import WindowContext, genesis_state
from backend.store.daemons import Verdict
from backend.store.facts import CheckpointRow, DisputeRow, EventRow
from backend.store.private import WORD_BYTES, PrivateDataset, open_dataset, words_of
from validator.evidence.archive import DATASET, MANIFEST, MATCH_LOG, PARENT, PUBLISHED, pack
from validator.evidence.manifest import (
    CheckpointPart,
    ClaimPart,
    ContextPart,
    DatasetPart,
    DisputePart,
    EventPart,
    Manifest,
    MatchPart,
)
from validator.judge.cases import Case, CaseReader, digest_of
from validator.judge.replay import Judgement, Window, first_divergent
from validator.judge.states import StateProvider

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
        part, members[DATASET] = dataset
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


def _dataset(states: StateProvider, case: Case) -> tuple[DatasetPart, bytes] | None:
    """A private window's dataset; only what a dispute has made public may leave this machine."""
    if not case.private:
        return None
    data = states.private_data(case.beast_id)
    if data is None or states.reader.chain.revealed_fold(case.beast_id) is None:
        raise ChainBeastsError(
            "The window's dataset is private, and no dispute has revealed it.",
            "Make the bundle after a dispute over it is filed.",
        )
    committed = states.reader.commitments(case.beast_id)
    part = DatasetPart(
        c_dataset=committed.c_dataset,
        records_root=committed.records_root,
        dataset_length=committed.dataset_length,
        owner_secret_hash=committed.owner_secret_hash,
        secret=data.secret,
    )
    return part, data.compressed


def _dispute(row: DisputeRow) -> DisputePart:
    return DisputePart(
        dispute_id=row.dispute_id,
        challenger=row.challenger,
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
    place = 64 if event.name.endswith("DatasetRevealed") else 32
    return event.topics[place : place + 32] == dispute_id.to_bytes(32)


def open_bundle(members: Mapping[str, bytes]) -> Bundle:
    """A bundle's window; every state, record and dataset in it is checked by its hash.

    Raises:
        ChainBeastsError: of another kernel, or something in it is not what its hash says.
    """
    manifest = Manifest.decode(members[MANIFEST])
    if manifest.kernel_id != KERNEL_ID:
        raise ChainBeastsError(
            f"The bundle is about kernel 0x{manifest.kernel_id.hex()[:16]}…, this installation "
            f"has 0x{KERNEL_ID.hex()[:16]}….",
            "Use the version of chainbeasts that made it.",
        )
    record = manifest.checkpoint.record()
    beast_id = manifest.beast_id
    if digest_of(manifest.chain_id, manifest.ledger, beast_id, record) != manifest.digest:
        raise ChainBeastsError("The bundle's digest is not that of its checkpoint record.")
    match_log = _open_log(manifest, members.get(MATCH_LOG))
    data = _open_dataset(manifest, members.get(DATASET))
    parent = _parent(manifest, record, members.get(PARENT))
    published = None
    if PUBLISHED in members:
        published = _state(members[PUBLISHED], record.payload.h128, PUBLISHED)
    context = _context(manifest, record, data)
    words = match_log if data is None else data.words
    return Bundle(manifest, Window(beast_id, record, context, parent, words, published))


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


def _open_dataset(manifest: Manifest, compressed: bytes | None) -> PrivateDataset | None:
    private = manifest.checkpoint.payload.source == Source.PRIVATE
    if (manifest.dataset is not None, compressed is not None) != (private, private):
        raise ChainBeastsError("The bundle has a dataset and no private window, or the reverse.")
    if manifest.dataset is None or compressed is None:
        return None
    return open_dataset(compressed, manifest.dataset.secret, manifest.dataset.commitments())


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


def _context(manifest: Manifest, record: Checkpoint, data: PrivateDataset | None) -> WindowContext:
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
