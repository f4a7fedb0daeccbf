"""The faults: standard operators, applied to one token or statement of a source at a time.

Python is read by its own tokenizer, Solidity and Yul by a small lexer that knows comments, strings
and numbers. A mutant need not compile; whoever runs it finds that out.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

SWAPS = {
    "+": "-",
    "-": "+",
    "*": "+",
    "+=": "-=",
    "-=": "+=",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
    "^": "|",
    "<<=": ">>=",
    ">>=": "<<=",
    "&=": "|=",
    "|=": "&=",
    "^=": "|=",
    "break": "continue",
    "continue": "break",
    "min": "max",
    "max": "min",
}
"""Of both languages: relations move by one, arithmetic and bits change their operation."""

PYTHON = SWAPS | {
    "//": "*",
    "%": "//",
    "and": "or",
    "or": "and",
    "not": "",
    "True": "False",
    "False": "True",
}
SOLIDITY = SWAPS | {
    "/": "*",
    "%": "*",
    "++": "--",
    "--": "++",
    "&&": "||",
    "||": "&&",
    "!": "",
    "true": "false",
    "false": "true",
}
YUL = {
    "add": "sub",
    "sub": "add",
    "mul": "add",
    "div": "mul",
    "lt": "gt",
    "gt": "lt",
    "slt": "sgt",
    "sgt": "slt",
    "and": "or",
    "or": "and",
    "xor": "or",
    "shl": "shr",
    "shr": "shl",
    "sar": "shr",
}
"""Calls of these names, which are instructions."""

_TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'
        |\b(?:import|pragma)\b[^;]*;|=>|->)
      |(?P<number>\b(?:0x[0-9a-fA-F_]+|\d[\d_]*)\b)
      |(?P<word>[A-Za-z_$][\w$]*)
      |(?P<sign><<=|>>=|\+\+|--|&&|\|\||[-+*/%&|^<>=!]=|<<|>>|\*\*|[-+*/%&|^<>!])""",
    re.VERBOSE | re.DOTALL,
)
_GUARD = re.compile(r"\bif (?=\()")
_CALL = re.compile(
    r"^[ ]+(?:[a-z_][\w.]*\([^;{}\n]*\)|delete [^;\n]+|emit [^;\n]+);$", re.MULTILINE
)
_ADDRESS_DIGITS = 42


@dataclass(frozen=True)
class Mutant:
    """A source with one fault.

    Attributes:
        line: where, from 1.
        before: that line as it is, without indentation.
        after: the same with the fault.
        text: the whole source with it.
    """

    line: int
    before: str
    after: str
    text: str


def python_mutants(text: str) -> list[Mutant]:
    """Every fault of a Python module; annotations are left alone."""
    starts = _line_starts(text)
    silent = list(_annotations(text))
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if any(first <= start < last for first, last in silent):
            continue
        if token.type == tokenize.NUMBER:
            other = _next_number(token.string)
        elif token.type in (tokenize.OP, tokenize.NAME):
            other = PYTHON.get(token.string)
        else:
            other = None
        if other is not None:
            found.append(_mutant(text, start, end, other))
    return found


def solidity_mutants(text: str) -> list[Mutant]:
    """Every fault of a Solidity source: in its tokens, a guard that never bars, a call left out."""
    found, silent = [], []
    for token in _TOKEN.finditer(text):
        if token["skip"] is not None:
            silent.append(token.span())
            continue
        word = token[0]
        if token["number"] is not None:
            other = None if len(word) == _ADDRESS_DIGITS else _next_number(word)
        elif token["word"] is not None and text[token.end() : token.end() + 1] == "(":
            other = YUL.get(word, SOLIDITY.get(word))
        else:
            other = SOLIDITY.get(word)
        if other is not None:
            found.append(_mutant(text, *token.span(), other))
    spans = [(guard.end(), _closing(text, guard.end())) for guard in _GUARD.finditer(text)]
    pieces = [
        (start, end, f"(false && {text[start:end]})")
        for start, end in spans
        if text[end:].lstrip().startswith(("revert", "{\n"))
    ]
    pieces += [(*call.span(), "") for call in _CALL.finditer(text)]
    found += [
        _mutant(text, start, end, other)
        for start, end, other in pieces
        if not any(first <= start < last for first, last in silent)
    ]
    return found


def _mutant(text: str, start: int, end: int, other: str) -> Mutant:
    """The text with another piece, told by the line on which the piece begins."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last
    return Mutant(
        text.count("\n", 0, start) + 1,
        " ".join(text[first:last].split()),
        " ".join((text[first:start] + other + text[end:last]).split()),
        text[:start] + other + text[end:],
    )


def _next_number(word: str) -> str | None:
    try:
        value = int(word.replace("_", ""), 0)
    except ValueError:
        return None
    return hex(value + 1) if word.startswith("0x") else str(value + 1)


def _closing(text: str, opening: int) -> int:
    """The place behind the bracket that closes the one here."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return len(text)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _annotations(text: str) -> Iterator[tuple[int, int]]:
    """What is never evaluated: types, as every module here postpones them."""
    lines, starts = text.splitlines(keepends=True), _line_starts(text)

    def place(row: int, column: int) -> int:
        return starts[row - 1] + len(lines[row - 1].encode()[:column].decode())

    for node in ast.walk(ast.parse(text)):
        for name in ("annotation", "returns"):
            kind = getattr(node, name, None)
            if isinstance(kind, ast.expr):
                assert kind.end_lineno is not None
                assert kind.end_col_offset is not None
                yield (
                    place(kind.lineno, kind.col_offset),
                    place(kind.end_lineno, kind.end_col_offset),
                )
