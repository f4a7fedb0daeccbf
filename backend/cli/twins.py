"""Gives every option an environment twin, so that units, containers and scripts can set it.

An option that means the same everywhere names its own (``CHAINBEASTS_SNAPSHOTS``); any other one
belongs to its command, as ``CHAINBEASTS_TRAINER_RUN_WINDOWS`` to ``chainbeasts trainer run``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from typer.core import TyperCommand, TyperGroup, TyperOption

from chainbeasts.backend.settings import Settings

PREFIX = "CHAINBEASTS"
WITHOUT = ("help", "version", "install_completion", "show_completion")
"""Options that only make sense on a command line."""


def options(
    command: object, path: Sequence[str] = ()
) -> Iterator[tuple[Sequence[str], TyperOption]]:
    """Every option of a tree of Typer's commands, with the words that lead to it."""
    if not isinstance(command, TyperCommand | TyperGroup):
        return
    for parameter in command.params:
        if isinstance(parameter, TyperOption) and parameter.name not in WITHOUT:
            yield path, parameter
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from options(child, (*path, name))


def is_setting(option: TyperOption) -> bool:
    """Whether the twin is read by `backend.settings`, and named in the help text."""
    return option.name in Settings.model_fields


def add_twins(root: object) -> None:
    """Give each option of a tree of commands a twin, if it has none."""
    for path, option in options(root):
        if option.envvar is None and not is_setting(option):
            flag = next(flag for flag in option.opts if flag.startswith("--"))
            words = (PREFIX, *path, flag.removeprefix("--"))
            option.envvar = "_".join(words).upper().replace("-", "_")
