"""The reference of Python: which modules it shows, whose docstrings mkdocstrings reads."""

from __future__ import annotations

HEAD = """# Python

The modules that programs of other people may build on, made from their docstrings and types. What
is not here may change without notice. Every package has a `py.typed`.

"""

MODULES = {
    "The kernel: what a window computes, to the bit": (
        "backend.kernel.board",
        "backend.kernel.combat",
        "backend.kernel.rules",
        "backend.kernel.samples",
        "backend.kernel.labels",
        "backend.kernel.network",
        "backend.kernel.state",
        "backend.kernel.window",
        "backend.kernel.fighters",
        "backend.kernel.merkle",
        "backend.kernel.vectors",
    ),
    "The fastest kernel there is": ("backend.kernels",),
    "A deployment on a chain": (
        "backend.chain.client",
        "backend.chain.types",
        "backend.chain.deployment",
        "backend.chain.errors",
    ),
    "Datasets": ("trainer.datasets",),
    "Metrics": ("trainer.metrics", "backend.monitoring.training"),
}


def page() -> str:
    """The page's text: directives that mkdocstrings fills."""
    parts = [HEAD]
    for title, modules in MODULES.items():
        parts.append(f"## {title}\n")
        parts += [f"::: {module}\n" for module in modules]
    return "\n".join(parts)
