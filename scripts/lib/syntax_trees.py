"""What the compiler says of sources before it makes code of them, in a fraction of the time.

Names and types are checked, and each file has its syntax tree. No optimiser has run, nor is it
known whether the stack is deep enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chainbeasts.backend.chain.compile import EVM_VERSION, import_closure
from chainbeasts.backend.chain.solc import Compilers
from chainbeasts.backend.errors import ChainBeastsError

_OUTPUTS = {"": ["ast"], "*": ["abi", "userdoc", "devdoc"]}


def request(units: Iterable[str]) -> dict[str, Any]:
    """The compiler's input: source files and everything that they import, together."""
    sources = {name: text for unit in units for name, text in import_closure(unit).items()}
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(sources.items())},
        "settings": {"evmVersion": EVM_VERSION, "outputSelection": {"*": _OUTPUTS}},
    }


def analyse(asked: dict[str, Any]) -> dict[str, Any]:
    """The compiler's answer to a request.

    Raises:
        ChainBeastsError: there is no compiler, or it refuses a source.
    """
    with Compilers() as compilers:
        answer = compilers.ask(asked)
    told = answer.get("errors", [])
    if errors := [one["formattedMessage"] for one in told if one["severity"] == "error"]:
        raise ChainBeastsError("Solidity refused a source:\n" + "\n".join(errors))
    return answer
