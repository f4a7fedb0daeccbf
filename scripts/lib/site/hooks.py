"""What the site adds to docs/: pages of the repository's root, and references made from the code.

MkDocs calls these functions. Nothing that they make is kept in the repository.
"""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.lib.site import api, commands, links, python, settings

ROOT_PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/README.md": "examples/index.md",
}
"""Where pages of the repository stand in the site."""

REFERENCES = {
    "reference/commands.md": commands.page,
    "reference/settings.md": settings.page,
    "reference/api.md": api.page,
    "reference/python.md": python.page,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that do not lie in docs/."""
    for source, place in ROOT_PAGES.items():
        text = (links.ROOT / source).read_text("utf-8")
        files.append(File.generated(config, place, content=text))
    for place, make in REFERENCES.items():
        files.append(File.generated(config, place, content=make()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links of the repository lead to pages of the site, where there is one."""
    place = page.file.src_uri
    if place in REFERENCES:
        return markdown  # its links are the site's already
    source = next((path for path, at in ROOT_PAGES.items() if at == place), f"docs/{place}")
    return links.rewrite(markdown, source, place, ROOT_PAGES)
