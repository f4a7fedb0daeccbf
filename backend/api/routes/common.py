"""What routes share: prefix, errors in OpenAPI, ``0x`` digests, and rows by their number."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from eth_utils.address import to_checksum_address
from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from chainbeasts.backend.api.errors import PROBLEM, missing
from chainbeasts.backend.api.models import Problem

Row = TypeVar("Row")

ACCOUNT = r"^0x[0-9a-fA-F]{40}$"

_SAID = {
    404: "There is none of that number, digest, account or key.",
    413: "A body was sent: no route takes one.",
    414: "Path and query are longer than any route needs.",
    421: "The request is for a host that this server is not known by.",
    422: "A parameter does not fit.",
    429: "Too many requests from this address; Retry-After says when to ask again.",
    500: "Something is wrong on the server's side.",
    503: "The database, the node or a place of snapshots does not answer.",
}
_PROBLEM = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
ERRORS: dict[int | str, dict[str, Any]] = {
    304: {"description": "What If-None-Match names is still what there is."},
    **{code: {"content": {PROBLEM: _PROBLEM}, "description": text} for code, text in _SAID.items()},
}

Digest = Annotated[
    str,
    Path(
        pattern=r"^(0x)?[0-9a-fA-F]{64}$",
        description="32 bytes in hex.",
        examples=["0x" + "1f" * 32],
    ),
]


AccountQuery = Annotated[
    str | None,
    Query(
        pattern=ACCOUNT,
        description="Only of this account: 40 hex digits, in any case.",
        examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"],
    ),
]


def account_of(text: str | None) -> str | None:
    """An account as the index spells it."""
    return None if text is None else str(to_checksum_address(text))


def new_router(tag: str) -> APIRouter:
    """A router of JSON routes under /v1."""
    return APIRouter(prefix="/v1", tags=[tag], responses=ERRORS)


def digest_bytes(digest: str) -> bytes:
    """The bytes of a digest that has been checked."""
    return bytes.fromhex(digest.removeprefix("0x"))


def find_row(session: Session, table: type[Row], number: int, what: str, listed: str) -> Row:
    """The row of a number.

    Args:
        what: names what is looked for, such as ``beast``.
        listed: the route that lists them.

    Raises:
        ApiError: there is none of that number.
    """
    row = session.get(table, number)
    if row is None:
        raise missing(f"{what} {number}", f"GET {listed} lists those there are.")
    return row


def content(kind: str, description: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI of a route whose answer is not JSON, errors included."""
    schema = {"type": "string", "format": "binary"}
    return ERRORS | {200: {"content": {kind: {"schema": schema}}, "description": description}}
