"""Puts off dependencies of dependencies that cost a good part of a second and are hardly used.

eth-account imports eth-keyfile, and that the pairing arithmetic of py_ecc, for keystores of beacon
chain validators, which are none of ours. A stand-in takes its place until a keystore is opened, and
one takes the arithmetic's place even then.
web3 imports aiohttp and requests for its own providers over HTTP, of which none is used here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


HTTP = ("aiohttp", "requests")


def defer_http() -> None:
    """Let web3 have classes of these that load them when one is made, unless they are there.

    Whoever else imports them gets the real ones.
    """
    for name in HTTP:
        spec = None if name in sys.modules else find_spec(name)
        if spec is not None:
            module = _ForWeb3(name)
            module.__spec__, module.__path__ = spec, spec.submodule_search_locations or []
            sys.modules[name] = module


class _ForWeb3(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        asking = sys._getframe(1)
        while asking.f_back and asking.f_globals.get("__name__", "").startswith("importlib."):
            asking = asking.f_back  # the machinery, which looks whether the name is there
        if name[0].isupper() and asking.f_globals.get("__name__", "").startswith("web3."):
            return _promised(self.__name__, name)
        return getattr(_real_http(self.__name__), name)


def _promised(module: str, name: str) -> type:
    """A class, good for annotations and ``except``, of which each object is one of the real."""

    def make(cls: type, *args: Any, **given: Any) -> Any:
        return getattr(_real_http(module), name)(*args, **given)

    return type(name, (Exception,), {"__new__": make})


def _real_http(name: str) -> ModuleType:
    if isinstance(sys.modules.get(name), _ForWeb3):
        del sys.modules[name]
    return importlib.import_module(name)


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
    with _without_pairings():
        return importlib.import_module(name)


SIGNATURES, CURVE = "py_ecc.bls", "py_ecc.bls12_381"


class _Signatures:
    """Signatures of beacon chain validators, loaded when one is made."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(SIGNATURES).G2ProofOfPossession, name)


@contextmanager
def _without_pairings() -> Iterator[None]:
    """Let eth-keyfile be imported without the pairings, which are computed when they are loaded.

    Of the curve it takes the order, from the one module that has it.
    """
    spec = find_spec(CURVE)
    if spec is None or SIGNATURES in sys.modules or CURVE in sys.modules:
        yield
        return
    signatures, curve = ModuleType(SIGNATURES), ModuleType(CURVE)
    signatures.G2ProofOfPossession = _Signatures()  # type: ignore[attr-defined]
    curve.__spec__, curve.__path__ = spec, spec.submodule_search_locations or []
    sys.modules[SIGNATURES], sys.modules[CURVE] = signatures, curve
    try:
        order = importlib.import_module(f"{CURVE}.bls12_381_curve").curve_order
        curve.curve_order = order  # type: ignore[attr-defined]
        yield
    finally:
        del sys.modules[SIGNATURES], sys.modules[CURVE]
