// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Slots} from "contracts/libraries/Slots.sol";
import {vm} from "./Symbolic.sol";

/// @title What a mask counts, and the running total of what a beast's windows lock (INVARIANT P9)
contract SlotsProof {
    /// @dev No window costs more, where every cost is at most 2^80 (Slots.windowPrice); no bond is more than 255 times that.
    uint256 private constant MAX_PRICE = 136 << 80;

    function check_count(uint8 mask) external pure {
        uint256 n = 0;
        for (uint256 i = 0; i < 8; ++i) n += (mask >> i) & 1;
        assert(Slots.count(mask) == n);
    }

    function check_activeParams_atMostTheSlab(uint8 mask) external pure {
        assert(Slots.activeParams(mask) <= Slots.SLAB_PARAMS);
    }

    /// @dev What CheckpointLedger adds without a check: price and bond of the window at `index`, on top of all before.
    function check_lockedSum_neverWraps(uint128 before, uint32 index, uint96 price, uint8 multiple) external pure {
        vm.assume(price <= MAX_PRICE && before <= uint256(index) << 96);
        uint256 bond = uint256(price) * multiple;
        uint128 lockedSum;
        unchecked {
            lockedSum = before + uint128(price + bond);
        }
        assert(lockedSum == uint256(before) + price + bond);
        assert(lockedSum <= (uint256(index) + 1) << 96);
    }
}
