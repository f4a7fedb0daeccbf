"""The manifest of an evidence bundle: its fields, their ranges, and the one JSON of each."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from chainbeasts.backend.chain.types import Checkpoint, CheckpointPayload, Commitments
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source

MAX_BYTES = 65_536
"""Most bytes of a manifest; real ones have about 6,000."""

_HASH = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")


def _to_hash(value: object) -> bytes:
    if isinstance(value, bytes) and len(value) == 32:
        return value
    if isinstance(value, str) and _HASH.fullmatch(value):
        return bytes.fromhex(value[2:])
    raise ValueError("must be 0x and 64 hex digits in lower case")


def _to_address(value: object) -> str:
    if isinstance(value, str) and _ADDRESS.fullmatch(value):
        return value
    raise ValueError("must be 0x and 40 hex digits")


def _to_amount(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 256:
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value) and int(value) < 1 << 256:
        return int(value)
    raise ValueError("must be a decimal number below 2^256 in a string")


Hash = Annotated[bytes, BeforeValidator(_to_hash), PlainSerializer(lambda b: "0x" + b.hex())]
Address = Annotated[str, BeforeValidator(_to_address)]
Amount = Annotated[int, BeforeValidator(_to_amount), PlainSerializer(str)]
U8 = Annotated[int, Field(ge=0, lt=1 << 8)]
U16 = Annotated[int, Field(ge=0, lt=1 << 16)]
U32 = Annotated[int, Field(ge=0, lt=1 << 32)]
U53 = Annotated[int, Field(ge=0, lt=1 << 53)]
Segments = Annotated[list[Hash], Field(min_length=16, max_length=16)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PayloadPart(_Strict):
    """What the trainer stated."""

    epoch: U32
    h128: Hash
    energy_burn: Amount
    lr_shift: U8
    active_mask: U8
    global_step: U32
    window_loss: U32
    source: Annotated[int, Field(ge=0, le=3)]
    source_id: U32


class CheckpointPart(_Strict):
    """The record that the ledger made of it."""

    index: U32
    generation: U32
    parent: Hash
    payload: PayloadPart
    season: U16
    trainer: Address
    submitted_at: U53
    bond: Amount
    locked_sum: Amount

    def record(self) -> Checkpoint:
        """The record."""
        values = dict(self)
        stated = dict(self.payload) | {"source": Source(self.payload.source)}
        return Checkpoint(**(values | {"payload": CheckpointPayload(**stated)}))

    @classmethod
    def of(cls, record: Checkpoint) -> CheckpointPart:
        """The part of a record."""
        payload = record.payload
        stated = {name: getattr(payload, name) for name in PayloadPart.model_fields}
        values: dict[str, Any] = {
            name: getattr(record, name) for name in cls.model_fields if name != "payload"
        }
        return cls(**values, payload=PayloadPart(**stated | {"source": int(payload.source)}))


class ContextPart(_Strict):
    """What the window's computation depends on besides its states and its payload."""

    dna: Hash
    epoch_seed: Hash
    heads: Literal[1, 3, 7]
    rules: dict[str, U32]

    def season_rules(self) -> Rules:
        """The season's constants.

        Raises:
            ChainBeastsError: other names, or values out of range.
        """
        try:
            if set(self.rules) != set(Rules.__slots__):
                raise ValueError(f"they are {', '.join(Rules.__slots__)}")
            return Rules(**self.rules)
        except ValueError as error:
            raise ChainBeastsError(f"The bundle's rules are no season's: {error}.") from None


class DatasetPart(_Strict):
    """A private dataset's commitments, and the secret that a dispute made public."""

    c_dataset: Hash
    records_root: Hash
    dataset_length: Annotated[int, Field(ge=1, le=65_536)]
    owner_secret_hash: Hash
    secret: Hash

    def commitments(self) -> Commitments:
        """What the hatch committed."""
        return Commitments(
            self.c_dataset, self.records_root, self.dataset_length, self.owner_secret_hash
        )


class MatchPart(_Strict):
    """The final match that a BATTLE window trains on; its id is the payload's ``source_id``."""

    log_root: Hash
    turns: Annotated[int, Field(ge=1, le=254)]


class DisputePart(_Strict):
    """The dispute as it stood."""

    dispute_id: U53
    filer: Address
    status: Annotated[str, Field(max_length=12)]
    conviction: Annotated[str, Field(max_length=12)] | None
    segments: Segments | None


class ClaimPart(_Strict):
    """What whoever made the bundle found."""

    verdict: Literal["valid", "invalid"]
    reason: Annotated[str, Field(max_length=500)]
    segments: Segments
    first_divergent: Annotated[int, Field(ge=0, le=15)] | None


class EventPart(_Strict):
    """Where the chain says something about this checkpoint."""

    name: Annotated[str, Field(max_length=48)]
    block: U53
    transaction: Hash


class Manifest(_Strict):
    """Everything of a bundle but its states, its dataset and its match's log."""

    format: Literal["chainbeasts-evidence-1"] = "chainbeasts-evidence-1"
    kernel_id: Hash
    chain_id: U53
    ledger: Address
    court: Address
    beast_id: Amount
    checkpoint: CheckpointPart
    digest: Hash
    context: ContextPart
    dataset: DatasetPart | None
    match: MatchPart | None = None
    dispute: DisputePart | None
    claim: ClaimPart
    events: Annotated[list[EventPart], Field(max_length=256)]

    def encode(self) -> bytes:
        """The one JSON of these values."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """The manifest of JSON.

        Raises:
            ChainBeastsError: it is none; the error names the first field that does not fit.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "manifest.json"
            raise ChainBeastsError(
                f"The bundle's manifest does not fit: {where}: {first['msg']}."
            ) from None
