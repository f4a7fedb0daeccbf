"""The page: its own files, and of the Node packages exactly the modules that it loads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from chainbeasts.backend.api.answers import REVALIDATE, tagged
from chainbeasts.backend.api.errors import ApiError, missing
from chainbeasts.backend.api.services import ServicesDep
from chainbeasts.backend.api.vendored import VENDORED
from chainbeasts.backend.resources import node_modules_dirs

PAGE = Path(__file__).resolve().parents[1] / "page"
INDEX = "index.html"
WALLET = "wallet/"

SHARED: Mapping[str, Path] = {
    "kernel/tables.json": Path(__file__).resolve().parents[2] / "kernel" / "tables.json",
}
"""Files of other packages: the page reads the kernel's tables from their one source."""

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
"""What is served of the page's folder, by its files' endings; nothing else is."""

router = APIRouter(include_in_schema=False)
"""Its routes wait for nothing but small files, and a page is many of them: a thread for each would
take longer than its answer."""


@cache
def page_files(folder: Path = PAGE) -> Mapping[str, Path]:
    """The page's files by the path that they are asked for by.

    The addresses that exist are listed beforehand, so that none can lead out of the folder.
    """
    found = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.suffix in KINDS
    }
    index = {"": found[INDEX]} if INDEX in found else {}
    return {**found, **SHARED, **index}


@router.get("/vendor/{name}")
async def vendor(request: Request, name: str) -> Response:
    """A module of a library."""
    path = VENDORED.get(name)
    if path is None:
        raise ApiError(
            "no_such_address",
            "There is nothing at this address.",
            "The page needs no other library.",
        )
    for folder in node_modules_dirs():
        if (folder / path).is_file():
            return _file(request, folder / path)
    raise missing(
        f"library {name} on this machine",
        "Run `npm ci` where package-lock.json is, or scripts/setup in a checkout.",
    )


@router.get("/{path:path}")
async def page(request: Request, services: ServicesDep, path: str) -> Response:
    """A file of the page; what talks to wallets only where the server was started for it."""
    found = page_files().get(path)
    if found is None or (path.startswith(WALLET) and not services.wallet):
        hint = "/openapi.json lists the routes of the API; the page is at /."
        raise ApiError("no_such_address", "There is nothing at this address.", hint)
    return _file(request, found)


def _file(request: Request, path: Path) -> Response:
    return tagged(request, path.read_bytes(), KINDS[path.suffix], REVALIDATE)
