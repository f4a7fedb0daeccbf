"""The reference of settings, from the class that reads them."""

from __future__ import annotations

from pydantic_core import PydanticUndefined

from chainbeasts.backend.settings import Settings
from scripts.lib.site.markdown import cell, table

HEAD = """# Settings

What holds for every command: an environment variable, and where a command has it an option of the
same name, which overrides it. Made from `backend.settings`.
[Deployment](../guides/deployment.md#settings) tells what they are for; [commands](commands.md) have
the variables of single options.

"""


def page() -> str:
    """The page's text."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
        rows.append((f"`CHAINBEASTS_{name.upper()}`", cell(field.description or ""), default))
    return HEAD + table(("variable", "meaning", "default"), rows)
