"""Every answer's shape, as OpenAPI documents it.

Hashes, words and seeds are ``0x`` hex, amounts are wei of ENERGY as decimal strings (JSON numbers
end at 2^53), times are unix seconds of the chain's clock. Lists come in pages.
"""

from backend.api.models.base import (
    Answer,
    Moment,
    Page,
    Problem,
    Source,
    hexadecimal,
)
from backend.api.models.beasts import (
    Beast,
    BeastPage,
    Checkpoint,
    CheckpointPage,
    Curve,
    Rating,
    Stats,
)
from backend.api.models.chain import (
    Change,
    Counts,
    CurrentSeason,
    IndexedBlock,
    Live,
    NodeHead,
    Proposal,
    Relayed,
    Season,
    Seasons,
    StateHeader,
    Status,
)
from backend.api.models.contests import (
    Disproof,
    Dispute,
    DisputeDetail,
    DisputePage,
    Leaderboard,
    Match,
    MatchDetail,
    MatchPage,
    Move,
    Ranked,
    Slashing,
)

__all__ = [
    "Answer",
    "Beast",
    "BeastPage",
    "Change",
    "Checkpoint",
    "CheckpointPage",
    "Counts",
    "CurrentSeason",
    "Curve",
    "Disproof",
    "Dispute",
    "DisputeDetail",
    "DisputePage",
    "IndexedBlock",
    "Leaderboard",
    "Live",
    "Match",
    "MatchDetail",
    "MatchPage",
    "Moment",
    "Move",
    "NodeHead",
    "Page",
    "Problem",
    "Proposal",
    "Ranked",
    "Rating",
    "Relayed",
    "Season",
    "Seasons",
    "Slashing",
    "Source",
    "StateHeader",
    "Stats",
    "Status",
    "hexadecimal",
]
