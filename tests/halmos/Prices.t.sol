// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Slots} from "contracts/libraries/Slots.sol";
import {vm} from "./Symbolic.sol";

/// @title The price of a window at the prices of the seasons that are shipped, for every mask
/// @dev Of a symbolic cost the solver does not come to an end over the division by 16,896; of a season's own cost the division
/// is by cases of a mask. tests/forge/libraries has any cost by chance.
contract PricesProof {
    /// @dev base_cost and growth_cost of both profiles in backend/chain/profiles.
    uint256 private constant BASE_COST = 1e15;
    uint256 private constant GROWTH_COST = 1e18;

    function check_windowPrice_roundsAStepUp(uint8 parentMask, uint8 mask) external pure {
        uint256 step = _stepOf(parentMask, mask);
        uint256 due = BASE_COST * Slots.activeParams(mask);
        assert(step * Slots.SLAB_PARAMS >= due && step * Slots.SLAB_PARAMS < due + Slots.SLAB_PARAMS);
        assert(step <= BASE_COST);
    }

    function check_windowPrice_growsWithTheMask(uint8 parentMask, uint8 mask, uint8 more) external pure {
        vm.assume(mask & more == mask);
        uint256 price = Slots.windowPrice(BASE_COST, GROWTH_COST, parentMask, mask);
        assert(Slots.windowPrice(BASE_COST, GROWTH_COST, parentMask, more) >= price);
    }

    /// @dev What the window costs beside the slots that wake, by the step.
    function _stepOf(uint256 parentMask, uint256 mask) private pure returns (uint256) {
        uint256 woken = 0;
        for (uint256 i = 0; i < 8; ++i) woken += ((mask & ~parentMask) >> i) & 1;
        uint256 price = Slots.windowPrice(BASE_COST, GROWTH_COST, parentMask, mask);
        assert(price >= GROWTH_COST * woken);
        uint256 steps = price - GROWTH_COST * woken;
        assert(steps % Slots.WINDOW_STEPS == 0);
        return steps / Slots.WINDOW_STEPS;
    }
}
