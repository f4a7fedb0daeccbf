"""Puts off dependencies of dependencies that cost a good part of a second and are hardly used.

eth-account imports eth-keyfile, and that the pairing arithmetic of py_ecc, for keystores of beacon
chain validators, which are none of ours. A stand-in takes its place until a keystore is opened.
web3 imports aiohttp for its asynchronous providers, of which none is used here.
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


HTTP = "aiohttp"


def defer_aiohttp() -> None:
    """Let web3 have classes of aiohttp that load it when one is made, unless it is there already.

    Whoever else imports it gets the real one.
    """
    if HTTP in sys.modules:
        return
    spec = find_spec(HTTP)
    if spec is None:
        return
    module = _ForWeb3(HTTP)
    module.__spec__, module.__path__ = spec, spec.submodule_search_locations or []
    sys.modules[HTTP] = module


class _ForWeb3(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        asking = sys._getframe(1)
        while asking.f_back and asking.f_globals.get("__name__", "").startswith("importlib."):
            asking = asking.f_back  # the machinery, which looks whether the name is there
        if asking.f_globals.get("__name__", "").startswith("web3."):
            return _promised(name)
        return getattr(_real_http(), name)


def _promised(name: str) -> type:
    """A class, good for annotations and ``except``, of which each object is one of the real."""

    def make(cls: type, *args: Any, **given: Any) -> Any:
        return getattr(_real_http(), name)(*args, **given)

    return type(name, (Exception,), {"__new__": make})


def _real_http() -> ModuleType:
    if isinstance(sys.modules.get(HTTP), _ForWeb3):
        del sys.modules[HTTP]
    return importlib.import_module(HTTP)


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
