"""Links of the repository's pages, as the site has them."""

from __future__ import annotations

import pytest

from scripts.lib.site.links import DeadLinkError, rewrite

MOVED = {"README.md": "index.md", "SECURITY.md": "security.md"}


@pytest.mark.parametrize(
    ("source", "place", "written", "read"),
    [
        ("README.md", "index.md", "[a](docs/glossary.md)", "[a](glossary.md)"),
        ("README.md", "index.md", "![a](docs/images/mark.svg)", None),
        ("README.md", "index.md", "[a](backend/kernel)", "a"),
        (
            "docs/adr/README.md",
            "adr/README.md",
            "[a](../../SECURITY.md#x)",
            "[a](../security.md#x)",
        ),
        (
            "docs/spec/state.md",
            "spec/state.md",
            "[a](vectors/states.json)",
            "[a](vectors/states.json)",
        ),
        (
            "docs/glossary.md",
            "glossary.md",
            "[a](https://example.org/b)",
            "[a](https://example.org/b)",
        ),
        ("docs/glossary.md", "glossary.md", "[a](#words)", "[a](#words)"),
        (
            "docs/glossary.md",
            "glossary.md",
            "```\n[a](nowhere.md)\n```",
            "```\n[a](nowhere.md)\n```",
        ),
    ],
)
def test_a_link_leads_to_the_page_or_is_its_text(
    source: str, place: str, written: str, read: str | None
) -> None:
    if read is None:
        with pytest.raises(DeadLinkError, match="does not exist"):
            rewrite(written, source, place, MOVED)
    else:
        assert rewrite(written, source, place, MOVED) == read
