// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Life of a match.
/// CHALLENGED: waits for the opponent. ACCEPTED: waits for the hash of `seedBlock`. SEEDED: waits for a record, until
/// `recordUntil`. RECORDED: may be disproved until `finalAt`. FINAL, CANCELLED and EXPIRED are ends.
enum MatchStatus {
    NONE,
    CHALLENGED,
    ACCEPTED,
    SEEDED,
    RECORDED,
    FINAL,
    CANCELLED,
    EXPIRED
}

/// @notice Who won.
enum MatchResult {
    A,
    B,
    DRAW
}

/// @notice What a record of a match was disproved by.
enum MatchLie {
    FIRST_WORD,
    TURN,
    OVER,
    END
}

/// @notice One match, from challenge to finality.
/// @param beastA the challenger's beast; it acts first iff bit 6 of `battleSeed` is 0
/// @param beastB the opponent's beast
/// @param stateA hash of the final state that A fights with
/// @param stateB hash of the final state that B fights with; zero until accepted
/// @param ownerA owner of A when it challenged, who is rewarded
/// @param ownerB owner of B when it accepted, who is rewarded; zero until accepted
/// @param season season in force when it was accepted: rules and rewards
/// @param status see MatchStatus
/// @param seedBlock block whose hash makes `battleSeed`: the one that accepted the match
/// @param battleSeed seed of terrain, first turn and critical hits; zero until SEEDED
/// @param reporter who recorded it and put up `bond`
/// @param bond the reporter's bond in wei of ENERGY
/// @param recordUntil first second at which it can be recorded no more, while it is SEEDED
/// @param finalAt first second at which the record may become final
/// @param turns activations, hence words in the log
/// @param result who won, as recorded
/// @param logRoot positional Merkle root over the words before each activation
struct Match {
    uint256 beastA;
    uint256 beastB;
    bytes32 stateA;
    bytes32 stateB;
    address ownerA;
    address ownerB;
    uint16 season;
    MatchStatus status;
    uint64 seedBlock;
    uint64 battleSeed;
    address reporter;
    uint128 bond;
    uint40 recordUntil;
    uint40 finalAt;
    uint8 turns;
    MatchResult result;
    bytes32 logRoot;
}

/// @notice What a beast has been credited in rewards. One storage slot.
/// @param since when its last cooldown began, 0 before the first
/// @param inCooldown credited since then, in wei of ENERGY
/// @param total ever credited, claimed or not, in wei of ENERGY
struct Earnings {
    uint40 since;
    uint96 inCooldown;
    uint120 total;
}

/// @notice A beast that takes on every challenge.
/// @param owner who opened it
/// @param nonce the beast's ownership nonce then; void once the beast has changed hands
/// @param state hash of the final state it fights with
struct OpenChallenge {
    address owner;
    uint64 nonce;
    bytes32 state;
}
