"""The reference of Python: which modules it shows, whose docstrings mkdocstrings reads."""

from __future__ import annotations

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
    """The page's text: directives that mkdocstrings fills."""
    return HEAD + "\n".join(f"::: {module}\n" for module in MODULES)
