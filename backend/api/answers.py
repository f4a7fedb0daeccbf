"""How answers are sent: with a tag for revalidation, and with how long they may be kept."""

from __future__ import annotations

from hashlib import sha256

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

REVALIDATE = "no-cache"
"""May be kept, and is asked for again with its tag each time."""

FOREVER = "public, max-age=31536000, immutable"
"""Its address is its content's hash."""

TAG_DIGITS = 32


def answer(request: Request, model: BaseModel) -> Response:
    """A model as JSON, to be revalidated."""
    body = model.model_dump_json().encode()
    return tagged(request, body, "application/json", REVALIDATE)


def tagged(
    request: Request, body: bytes, kind: str, keep: str, headers: dict[str, str] | None = None
) -> Response:
    """A body with a weak tag of its content; 304 without it, if the client has it already."""
    # Weak: the same body may travel compressed or not.
    tag = f'W/"{sha256(body).hexdigest()[:TAG_DIGITS]}"'
    sent = {"ETag": tag, "Cache-Control": keep} | (headers or {})
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=sent)
    return Response(body, media_type=kind, headers=sent)


def _has(given: str, tag: str) -> bool:
    """Whether an If-None-Match names a tag, by the weak comparison."""
    bare = tag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (bare, "*") for one in given.split(","))
