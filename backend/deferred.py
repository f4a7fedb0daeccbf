"""Puts off a dependency of a dependency that costs half a second and is hardly ever used.

eth-account imports eth-keyfile, and that the pairing arithmetic of py_ecc, for keystores of beacon
chain validators, which are none of ours. A stand-in takes its place until a keystore is opened.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PACKAGE, MODULE = "eth_keyfile", "eth_keyfile.keyfile"
FUNCTIONS = ("create_keyfile_json", "decode_keyfile_json")
"""What eth-account takes from the package; of the module it takes a type for annotations."""


def defer_keyfile() -> None:
    """Let eth-keyfile be loaded when something of it is used, unless it is there already."""
    if PACKAGE in sys.modules:
        return
    spec = find_spec(PACKAGE)
    if spec is None:
        return
    package, module = _StandIn(PACKAGE), _StandIn(MODULE)
    package.__spec__, package.__path__ = spec, spec.submodule_search_locations or []
    for name in FUNCTIONS:
        setattr(package, name, _loading(name))
    module.KDFType = str  # type: ignore[attr-defined]
    sys.modules[PACKAGE], sys.modules[MODULE] = package, module


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_load(self.__name__), name)


def _loading(function: str) -> Callable[..., Any]:
    """A function of the package that loads it when it is called."""

    def call(*args: Any, **given: Any) -> Any:
        return getattr(_load(PACKAGE), function)(*args, **given)

    return call


def _load(name: str) -> ModuleType:
    """The real module."""
    for one in (PACKAGE, MODULE):
        if isinstance(sys.modules.get(one), _StandIn):
            del sys.modules[one]
    return importlib.import_module(name)
