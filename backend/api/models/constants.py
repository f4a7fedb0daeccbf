"""A season's constants by name, so that a client that misspells one is told when it is compiled.

Their names and order are those of the dataclasses that the contracts' structs are read into; which
of them are wei, which JSON has as text, is the profiles' word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import create_model

from chainbeasts.backend.api.models.base import Answer, Wei
from chainbeasts.backend.chain import types
from chainbeasts.backend.chain.seasons import COIN_FIELDS, ENERGY_FIELDS
from chainbeasts.backend.kernel import rules

Model = TypeVar("Model", bound=Answer)


def _constants_of(struct: type[Any]) -> Callable[[type[Model]], type[Model]]:
    """Give a model a required field for each of a struct's."""

    def with_fields(model: type[Model]) -> type[Model]:
        kinds: dict[str, Any] = {
            field.name: Wei if field.name in (*ENERGY_FIELDS, *COIN_FIELDS) else int
            for field in fields(struct)
        }
        return create_model(
            model.__name__,
            __base__=model,
            __doc__=model.__doc__,
            __module__=model.__module__,
            **kinds,
        )

    return with_fields


@_constants_of(rules.Rules)
class Rules(Answer):
    """Constants of combat, labels and self-play (docs/spec/rules.md)."""


@_constants_of(rules.Schedule)
class Schedule(Answer):
    """How windows are cut into epochs, and what each epoch trains."""


@_constants_of(types.Economics)
class Economics(Answer):
    """Prices in wei, periods in seconds, shares in basis points, gas in gas."""


@_constants_of(types.ArenaTerms)
class ArenaTerms(Answer):
    """What matches cost and pay; times in seconds."""
