"""How answers are sent: with a tag for revalidation, and with how long they may be kept."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response
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
    if _has(request, tag):
        return Response(status_code=304, headers=sent)
    return Response(body, media_type=kind, headers=sent)


def tagged_file(request: Request, path: Path, kind: str, keep: str) -> Response:
    """A file that may be large, with the tag that its size and its time make; 304 as ``tagged``."""
    headers = {"Cache-Control": keep}
    found = FileResponse(path, 200, headers, kind, filename=path.name, stat_result=path.stat())
    tag = found.headers["etag"]
    if _has(request, tag):
        return Response(status_code=304, headers=headers | {"ETag": tag})
    return found


def _has(request: Request, tag: str) -> bool:
    """Whether a request's If-None-Match names a tag, by the weak comparison."""
    given = request.headers.get("if-none-match", "")
    bare = tag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (bare, "*") for one in given.split(","))
