"""What a training run tells about itself: one JSON object per message (docs/guides/metrics.md)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    ValidationError,
)

from chainbeasts.backend.kernel.constants import NULL_LOSS

SCHEMA: Literal["chainbeasts.training/1"] = "chainbeasts.training/1"
"""The value of ``schema`` in every message; a change that breaks readers raises the number."""

Amount = Annotated[
    int,
    Field(ge=0, lt=1 << 256, strict=False),
    PlainSerializer(str, return_type=str, when_used="json"),
]
"""A number that can pass 2^53: in JSON a decimal string."""

Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, lt=1 << 32)]
Loss = Annotated[FiniteFloat, Field(ge=0, le=NULL_LOSS)]


class MessageError(ValueError):
    """Text that is not a message of this schema; the message is the reason."""


class TrainingMetrics(BaseModel):
    """Figures over some consecutive micro-steps of one run.

    Attributes:
        run: names the run, so that several can share a server.
        beast: ERC-721 id; 0 for a brain that is no beast's.
        step: ``globalStep`` after the last of the micro-steps.
        steps: how many micro-steps the figures cover.
        source: where the samples came from, as the command line spells it.
        loss: mean Σ|e_k| per micro-step, in the kernel's unit (1024 = 1.0).
        move_accuracy: share of labelled moves that the brain chose; None without any.
        attack_mae: mean |z4/4 − label| over positions with the enemy in reach; None without any.
        block_accuracy: share of block labels that the brain met; None where not unlocked.
        window: index of the checkpoint, None off chain.
        energy: wei of ENERGY that the run has locked so far, None off chain.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    schema_: Literal["chainbeasts.training/1"] = Field(SCHEMA, alias="schema")
    run: Annotated[str, Field(min_length=1, max_length=100)]
    beast: Amount
    step: Count
    steps: Count
    source: Annotated[str, Field(max_length=100)]
    loss: Loss
    move_accuracy: Share | None = None
    attack_mae: Annotated[FiniteFloat, Field(ge=0)] | None = None
    block_accuracy: Share | None = None
    window: Count | None = None
    energy: Amount | None = None

    def to_json(self) -> str:
        """One line of JSON."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The message of a line.

        Raises:
            MessageError: not JSON, another schema, a field missing or out of range.
        """
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise MessageError(f"{where}: {first['msg']}" if where else first["msg"]) from None
        if "schema_" not in found.model_fields_set:
            raise MessageError("schema: Field required")
        return found
