// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Slots} from "contracts/libraries/Slots.sol";
import {vm} from "./Symbolic.sol";

/// @title The price of a window, and the running total of what a beast's windows lock (INVARIANT P9)
contract SlotsProof {
    /// @dev The registry's bound on every cost.
    uint256 private constant MAX_COST = 1 << 80;
    /// @dev No window costs more, and no bond is more than 255 times that: together less than 2^96.
    uint256 private constant MAX_PRICE = 136 << 80;

    function check_count(uint8 mask) external pure {
        uint256 n = 0;
        for (uint256 i = 0; i < 8; ++i) n += (mask >> i) & 1;
        assert(Slots.count(mask) == n);
    }

    function check_activeParams_atMostTheSlab(uint8 mask) external pure {
        assert(Slots.activeParams(mask) <= Slots.SLAB_PARAMS);
    }

    /// @dev The unchecked price is what checked arithmetic gives, rounded up to the wei, and within the bound.
    function check_windowPrice(uint96 baseCost, uint96 growthCost, uint8 parentMask, uint8 mask) external pure {
        vm.assume(baseCost >= 1 && baseCost <= MAX_COST && growthCost <= MAX_COST);
        uint256 price = Slots.windowPrice(baseCost, growthCost, parentMask, mask);
        uint256 woken = Slots.count(mask & ~parentMask);
        uint256 steps = price - growthCost * woken;
        uint256 stepCost = steps / Slots.WINDOW_STEPS;
        assert(stepCost * Slots.WINDOW_STEPS == steps);
        uint256 exact = baseCost * Slots.activeParams(mask);
        assert(stepCost * Slots.SLAB_PARAMS >= exact && stepCost * Slots.SLAB_PARAMS < exact + Slots.SLAB_PARAMS);
        assert(price <= MAX_PRICE);
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
