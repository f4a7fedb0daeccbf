"""The reference of Python: which modules it shows, whose docstrings mkdocstrings reads."""

from __future__ import annotations

from importlib import import_module

HEAD = """# Python

What the modules of the package `chainbeasts` export, made from docstrings and types. [Use it from
Python](../guides/python.md) begins with examples.

"""

MODULES = (
    "chainbeasts.client",
    "chainbeasts.kernel",
    "chainbeasts.datasets",
    "chainbeasts.pipeline",
    "chainbeasts.metrics",
)


def page() -> str:
    """The page's text: directives that mkdocstrings fills, one for each name that is exported."""
    parts = [HEAD]
    for name in MODULES:
        module = import_module(name)
        parts.append(f"## {name}\n\n{module.__doc__ or ''}\n")
        parts += [f"::: {name}.{exported}\n" for exported in module.__all__]
    return "\n".join(parts)
