// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Head} from "../types/CheckpointTypes.sol";

/// @dev A Head as it is stored. Packed by hand: every submission reads and writes it whole, and the compiler's
/// member-wise packing costs a thousand gas more. Offsets are in bits from the low end.
///   a: headCount 0, epoch 32, epochEnd 64, season 96, activeMask 112, lrShift 120, windowLoss 128, source 160,
///      comparable 168, epochSeedTag 176
///   b: lockedSum 0, finalCount 128, generation 160, trainerTag 192
struct PackedHead {
    bytes32 h128;
    uint256 a;
    uint256 b;
}

/// @title Reading and writing heads
/// @dev Reading cuts a field to its type, which drops the fields above; writing takes typed fields, which cannot run
/// into each other. The two lists of offsets must agree with PackedHead's comment.
library Heads {
    function load(PackedHead storage from) internal view returns (Head memory h) {
        h.h128 = from.h128;
        uint256 a = from.a;
        h.headCount = uint32(a);
        h.epoch = uint32(a >> 32);
        h.epochEnd = uint32(a >> 64);
        h.season = uint16(a >> 96);
        h.activeMask = uint8(a >> 112);
        h.lrShift = uint8(a >> 120);
        h.windowLoss = uint32(a >> 128);
        h.source = uint8(a >> 160);
        h.comparable = uint8(a >> 168) != 0;
        h.epochSeedTag = uint64(a >> 176);
        uint256 b = from.b;
        h.lockedSum = uint128(b);
        h.finalCount = uint32(b >> 128);
        h.generation = uint32(b >> 160);
        h.trainerTag = uint64(b >> 192);
    }

    function store(PackedHead storage to, Head memory h) internal {
        to.h128 = h.h128;
        uint256 a = uint256(h.headCount) | (uint256(h.epoch) << 32) | (uint256(h.epochEnd) << 64);
        a |= (uint256(h.season) << 96) | (uint256(h.activeMask) << 112) | (uint256(h.lrShift) << 120);
        a |= (uint256(h.windowLoss) << 128) | (uint256(h.source) << 160);
        if (h.comparable) a |= 1 << 168;
        to.a = a | (uint256(h.epochSeedTag) << 176);
        uint256 b = uint256(h.lockedSum) | (uint256(h.finalCount) << 128) | (uint256(h.generation) << 160);
        to.b = b | (uint256(h.trainerTag) << 192);
    }

    function headCount(PackedHead storage from) internal view returns (uint32) {
        return uint32(from.a);
    }

    function finalCount(PackedHead storage from) internal view returns (uint32) {
        return uint32(from.b >> 128);
    }

    function setFinalCount(PackedHead storage to, uint32 count) internal {
        to.b = (to.b & ~(uint256(type(uint32).max) << 128)) | (uint256(count) << 128);
    }
}
