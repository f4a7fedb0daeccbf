// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Schedule} from "../types/SeasonTypes.sol";

/// @title What a season's schedule says about an epoch: docs/spec, labels §4 (heads), network §4 (shift)
library Schedules {
    uint8 internal constant MOVE = 1;
    uint8 internal constant ATTACK = 2;
    uint8 internal constant BLOCK = 4;

    /// @return bit mask of the heads that learn in `epoch`
    function heads(Schedule memory s, uint256 epoch) internal pure returns (uint8) {
        if (epoch < s.moveOnlyEpochs) return MOVE;
        if (epoch < uint256(s.moveOnlyEpochs) + s.attackEpochs) return MOVE | ATTACK;
        return MOVE | ATTACK | BLOCK;
    }

    /// @return min(lrMax, lrBase + max(0, epoch − lrHoldEpochs) / lrEpochsPerDecay)
    /// @dev 3 to 15, what the kernel takes, as the registry keeps lrBase and lrMax there and lrEpochsPerDecay positive.
    function lrShift(Schedule memory s, uint256 epoch) internal pure returns (uint8) {
        if (epoch <= s.lrHoldEpochs) return s.lrBase;
        uint256 shift = s.lrBase + (epoch - s.lrHoldEpochs) / s.lrEpochsPerDecay;
        return shift < s.lrMax ? uint8(shift) : s.lrMax;
    }
}
