// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Match, MatchResult, MatchStatus} from "../types/ArenaTypes.sol";

/// @dev A Match as it is stored: seven slots, each a line. What a move changes lies together. A beast's id is cut to 64
/// bits, which ids counted from 1 never fill.
struct StoredMatch {
    address ownerA;
    uint64 beastA;
    /// @dev of A when it challenged
    uint32 nonceA;
    //
    address ownerB;
    uint64 beastB;
    //
    bytes32 stateA;
    //
    bytes32 stateB;
    //
    MatchStatus status;
    uint16 season;
    uint64 seedBlock;
    uint64 battleSeed;
    uint96 bond;
    uint8 turns;
    //
    address reporter;
    uint40 recordUntil;
    uint40 finalAt;
    MatchResult result;
    //
    bytes32 logRoot;
}

/// @title Reading stored matches
library MatchStore {
    function load(StoredMatch storage from) internal view returns (Match memory m) {
        m.beastA = from.beastA;
        m.beastB = from.beastB;
        m.stateA = from.stateA;
        m.stateB = from.stateB;
        m.ownerA = from.ownerA;
        m.ownerB = from.ownerB;
        m.season = from.season;
        m.status = from.status;
        m.seedBlock = from.seedBlock;
        m.battleSeed = from.battleSeed;
        m.reporter = from.reporter;
        m.bond = from.bond;
        m.recordUntil = from.recordUntil;
        m.finalAt = from.finalAt;
        m.turns = from.turns;
        m.result = from.result;
        m.logRoot = from.logRoot;
    }
}
