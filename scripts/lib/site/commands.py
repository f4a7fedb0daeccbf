"""The reference of commands, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from backend.cli import commands
from backend.cli.twins import WITHOUT, add_twins, is_setting
from scripts.lib.site.markdown import cell, table

HEAD = """# Commands

Every noun and verb of `chainbeasts` with its options, made from the program. Where an option can be set in the environment, the
variable stands beside it; [settings](settings.md) hold for all commands.

"""


def root() -> TyperGroup:
    """The whole tree of commands, with the environment twins."""
    commands.load_commands()
    tree = get_command(commands.app)
    assert isinstance(tree, TyperGroup)
    add_twins(tree)
    return tree


def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command that does something, with the words that call it."""
    if isinstance(command, TyperGroup):
        for name in sorted(command.commands):
            yield from walk(command.commands[name], (*path, name))
    elif isinstance(command, TyperCommand):
        yield path, command


def page() -> str:
    """The page's text."""
    parts, noun = [HEAD], ""
    tree = root()
    for path, command in walk(tree, ()):
        if len(path) > 1 and path[0] != noun:
            noun = path[0]
            parts.append(f"## {noun}\n\n{_prose(tree.commands[noun].help)}\n")
        level = "##" if len(path) == 1 else "###"
        parts.append(f"{level} chainbeasts {' '.join(path)}\n\n{_command(command)}")
    return "\n".join(parts)


def _command(command: TyperCommand) -> str:
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [
        one
        for one in command.params
        if isinstance(one, TyperOption) and one.name not in WITHOUT and not one.hidden
    ]
    rows = [(f"`{_shown(one)}`", cell(one.help or ""), "") for one in arguments]
    rows += [(f"`{_flags(one)}`", cell(one.help or ""), _variable(one)) for one in options]
    epilog = f"\n```\n{inspect.cleandoc(command.epilog)}\n```\n" if command.epilog else ""
    return f"{_prose(command.help)}\n{table(('', '', 'environment'), rows)}{epilog}"


def _prose(text: str | None) -> str:
    return f"{cell(inspect.cleandoc(text or '')).replace('&lt;', '<')}\n" if text else ""


def _shown(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _flags(option: TyperOption) -> str:
    flags = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return flags
    return f"{flags} {option.metavar or option.type.name.upper()}"


def _variable(option: TyperOption) -> str:
    if is_setting(option):
        return f"`CHAINBEASTS_{str(option.name).upper()}`"
    names = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    return ", ".join(f"`{name}`" for name in names)
