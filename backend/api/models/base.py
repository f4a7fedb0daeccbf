"""How values are spelled, and what answers of every kind share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

_HASH = "0x" + "1f" * 32
_ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def hexadecimal(data: bytes) -> str:
    """Bytes as every answer spells them."""
    return "0x" + data.hex()


def _hex_of(size: int) -> WithJsonSchema:
    pattern = f"^0x[0-9a-f]{{{2 * size}}}$"
    return WithJsonSchema(
        {"type": "string", "pattern": pattern, "examples": ["0x" + "1f" * size]},
        mode="serialization",
    )


Hex32 = Annotated[
    bytes, PlainSerializer(hexadecimal, return_type=str, when_used="json"), _hex_of(32)
]
"""A hash, or a board word, which has the same 32 bytes."""

Hex8 = Annotated[bytes, PlainSerializer(hexadecimal, return_type=str, when_used="json"), _hex_of(8)]

Wei = Annotated[
    int,
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": "^[0-9]+$", "examples": ["2500000000000000000"]},
        mode="serialization",
    ),
]
Account = Annotated[str, Field(examples=[_ACCOUNT])]
Time = Annotated[
    int, Field(description="Unix seconds of the chain's clock.", examples=[1767225600])
]
Loss = Annotated[
    float, Field(ge=0, description="Mean Σ|e| a micro-step; 1024 is 1.0.", examples=[812.4])
]
Index = Annotated[int, Field(ge=0, examples=[7])]
Source = Literal["curriculum", "self_play", "battle", "private"]


class Answer(BaseModel):
    """What all answers share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ProblemCode = Literal[
    "not_found", "no_such_address", "method_not_allowed", "body_not_allowed", "address_too_long",
    "unknown_host", "invalid_parameter", "too_many_requests", "internal_error",
    "database_unavailable", "node_unavailable", "place_unavailable",
]  # fmt: skip


class Problem(Answer):
    """Every error: a problem document of RFC 9457 with a code that stays, and what to do next."""

    type: str = Field(
        description="A name for the kind of problem, made of the code.",
        examples=["urn:chainbeasts:problem:not_found"],
    )
    title: str = Field(description="The kind in words.", examples=["It is not there"])
    status: int = Field(description="Of the answer.", examples=[404])
    detail: str = Field(description="What is wrong.", examples=["There is no beast 99."])
    code: ProblemCode
    hint: str = Field(
        description="What to do next; empty if nothing can be done.",
        examples=["GET /v1/beasts lists those there are."],
    )


class Page(Answer):
    """A part of a list."""

    next: str | None = Field(
        description="Pass it as ?cursor= for what follows; null at the end.",
        examples=["50"],
    )
    previous: str | None = Field(
        description="The same for what comes before; null at the beginning.", examples=["r51"]
    )


class BeastName(Answer):
    """A beast as others mention it."""

    id: int = Field(examples=[1])
    name: str = Field(
        description="A nickname read out of the DNA; two may share one.", examples=["Morvak"]
    )
    dna: Hex32
    owner: Account = Field(description="Now.")


class Moment(Answer):
    """Where on the chain something happened."""

    block: Index
    time: Time
    tx: Hex32
