"""Published states by their hash. An address says what its content must be, so all can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from anyio import to_thread
from fastapi import Query, Request, Response
from sqlalchemy import select

from chainbeasts.backend.api.answers import FOREVER, REVALIDATE, tagged
from chainbeasts.backend.api.errors import RETRY_SECONDS, missing
from chainbeasts.backend.api.models import StateHeader
from chainbeasts.backend.api.routes.common import Digest, content, digest_bytes, new_router
from chainbeasts.backend.api.services import Services, ServicesDep
from chainbeasts.backend.indexer.queries import checkpoint_by_hash
from chainbeasts.backend.kernel.constants import STATE_BYTES
from chainbeasts.backend.kernel.state import State, encode_state, serialize_weights, weights_root
from chainbeasts.backend.store.facts import CheckpointRow
from chainbeasts.backend.store.state_files import pack

router = new_router("states")

MOST_STATES = 64
_DIGEST = "(0x)?[0-9a-fA-F]{64}"
Hashes = Annotated[
    str,
    Query(
        pattern=rf"^{_DIGEST}(,{_DIGEST}){{0,{MOST_STATES - 1}}}$",
        description="Hashes of states, up to 64, with commas between them.",
        examples=["0x" + "1f" * 32],
    ),
]
BATCH = "application/vnd.chainbeasts.states"

ZSTD, BYTES, JSON = "application/zstd", "application/octet-stream", "application/json"


@router.get(
    "/snapshots/{digest}",
    response_class=Response,
    responses=content(ZSTD, "One zstd frame (docs/spec/state.md)."),
    summary="A state, as published",
)
async def snapshot(request: Request, services: ServicesDep, digest: Digest) -> Response:
    """The file that trainers publish: header and weights, compressed."""
    return tagged(request, pack(await _state(services, digest)), ZSTD, FOREVER)


@router.get(
    "/states",
    response_class=Response,
    responses=content(BATCH, "For each state that was found its hash and its 33,984 bytes."),
    summary="Several states at once",
)
async def states(request: Request, services: ServicesDep, h: Hashes) -> Response:
    """Up to 64 states, in the order asked for; one that is not published is left out.

    So is what a place does not give in time: `Retry-After` says when to ask for the rest.

    Each takes 32 + 192 + 33,792 bytes: its hash, its encoded header and its weights as they are
    hashed, so that whoever asks can check it.
    """
    wanted = list(dict.fromkeys(map(digest_bytes, h.split(","))))
    known = await to_thread.run_sync(_all_known, services, wanted)
    found, late = await services.states.get_many([one for one in wanted if one in known])
    body = b"".join(one + encode_state(found[one]) for one in wanted if one in found)
    if late:  # kept by nobody: a later answer of the same body may well be all that there is
        headers = {"Cache-Control": "no-store", "Retry-After": str(RETRY_SECONDS)}
        return Response(body, media_type=BATCH, headers=headers)
    return tagged(request, body, BATCH, FOREVER if len(found) == len(wanted) else REVALIDATE)


@router.get("/states/{digest}", response_model=StateHeader, summary="A state's header")
async def header(request: Request, services: ServicesDep, digest: Digest) -> Response:
    """All of a state but its weights: with their hash, all that the state's hash is made of."""
    state = await _state(services, digest)
    head = state.header
    found = StateHeader(
        hash=digest_bytes(digest),
        beast=str(head.beast_id),
        parent=head.parent,
        global_step=head.global_step,
        active_mask=head.active_mask,
        window_loss=head.window_loss,
        arena=head.arena.to_bytes(32),
        weights_root=weights_root(state.weights),
        weights_bytes=STATE_BYTES,
    )
    return tagged(request, found.model_dump_json().encode(), JSON, FOREVER)


@router.get(
    "/states/{digest}/weights",
    response_class=Response,
    responses=content(BYTES, "33,792 bytes: each weight as big-endian uint16 of w + 0xC000."),
    summary="A state's weights",
)
async def weights(request: Request, services: ServicesDep, digest: Digest) -> Response:
    """The weights as they are hashed."""
    state = await _state(services, digest)
    return tagged(request, serialize_weights(state.weights), BYTES, FOREVER)


async def _state(services: Services, digest: str) -> State:
    """A published state that the chain knows: nothing else is looked for at other places."""
    h = digest_bytes(digest)
    if not await to_thread.run_sync(_known, services, h):
        raise missing("checkpoint with this state", "GET /v1/beasts/{id}/checkpoints lists hashes.")
    state = await services.states.get(h)
    if state is None:
        raise missing(
            "published state of this checkpoint",
            "Its trainer may publish it elsewhere; whoever replays the windows can compute it.",
        )
    return state


def _all_known(services: Services, hashes: Sequence[bytes]) -> set[bytes]:
    """Those of some hashes that checkpoints have."""
    wanted = select(CheckpointRow.h128).where(CheckpointRow.h128.in_(hashes))
    with services.session() as session:
        return set(session.scalars(wanted))


def _known(services: Services, h: bytes) -> bool:
    with services.session() as session:
        return checkpoint_by_hash(session, h) is not None
