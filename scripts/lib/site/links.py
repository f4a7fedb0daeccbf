"""Links of the repository's pages, as the site has them. Pure, but for looking whether files exist.

In the repository a page links to files: another page, a folder of code, a picture. The site has the
pages and pictures; of everything else the link's text remains, if what it names exists.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = "docs/"
PAGE_KINDS = (".md", ".svg", ".png", ".json", ".yml", ".env", ".service")
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)


class DeadLinkError(ValueError):
    """A link that names nothing in the repository."""


def rewrite(markdown: str, source: str, place: str, moved: Mapping[str, str]) -> str:
    """A page's text with its links as the site needs them.

    Args:
        source: the page's path in the repository.
        place: its path in the site.
        moved: paths in the site of pages that do not lie under docs/, by path in the repository.

    Raises:
        DeadLinkError: a link leads to nothing.
    """
    parts = re.split(r"(```.*?```)", markdown, flags=re.DOTALL)
    for number in range(0, len(parts), 2):  # the others are code
        parts[number] = _LINK.sub(lambda m: _link(m, source, place, moved), parts[number])
    return "".join(parts)


def _link(match: re.Match[str], source: str, place: str, moved: Mapping[str, str]) -> str:
    target, _, anchor = match["target"].partition("#")
    if not target or ":" in target or "://" in match["target"]:
        return match[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if not (ROOT / path).exists():
        raise DeadLinkError(f"{source} links to {path}, which does not exist.")
    text: str = match["text"]
    at = moved.get(path) or _in_site(path)
    if at is None:
        return text
    relative = posixpath.relpath(at, posixpath.dirname(place) or ".")
    return f"{match['image']}[{text}]({relative}{'#' + anchor if anchor else ''})"


def _in_site(path: str) -> str | None:
    inside = path.startswith(DOCS) and path.endswith(PAGE_KINDS) and (ROOT / path).is_file()
    return path.removeprefix(DOCS) if inside else None
