"""Matches, and the challenges that lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from chainbeasts.backend.chain.types.structs import ZERO32, ZERO_ADDRESS, AbiStruct


class MatchStatus(IntEnum):
    """Life of a match; FINAL, CANCELLED and EXPIRED are ends."""

    NONE = 0
    CHALLENGED = 1
    ACCEPTED = 2
    SEEDED = 3
    RECORDED = 4
    FINAL = 5
    CANCELLED = 6
    EXPIRED = 7


class MatchResult(IntEnum):
    """Who won."""

    A = 0
    B = 1
    DRAW = 2


class MatchLie(IntEnum):
    """What a record of a match was disproved by."""

    FIRST_WORD = 0
    TURN = 1
    OVER = 2
    END = 3


@dataclass(frozen=True, slots=True)
class Match(AbiStruct):
    """One match, as the arena stores it; times in seconds, ``bond`` in wei of ENERGY.

    Attributes:
        record_until: first second at which it can be recorded no more, while it is SEEDED.
        final_at: first second at which the record may become final.
    """

    beast_a: int
    beast_b: int
    state_a: bytes
    state_b: bytes
    owner_a: str
    owner_b: str
    season: int
    status: MatchStatus
    seed_block: int
    battle_seed: int
    reporter: str
    bond: int
    record_until: int
    final_at: int
    turns: int
    result: MatchResult
    log_root: bytes


@dataclass(frozen=True, slots=True)
class OpenChallenge(AbiStruct):
    """A beast that takes on every challenge, for as long as ``owner`` owns it.

    Attributes:
        nonce: the beast's transfers when it was opened; void once there are more.
    """

    owner: str
    nonce: int
    state: bytes

    def __bool__(self) -> bool:
        return self.state != ZERO32


NO_OPEN_CHALLENGE = OpenChallenge(ZERO_ADDRESS, 0, ZERO32)
