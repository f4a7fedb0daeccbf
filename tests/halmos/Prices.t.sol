// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Slots} from "contracts/libraries/Slots.sol";
import {vm} from "./Symbolic.sol";

/// @title The price of a window at the prices of the seasons that are shipped, for every mask
/// @dev Of a symbolic cost the solver does not come to an end over the division by 16,896. tests/forge/libraries has every pair
/// of masks at these prices, and any price by chance.
contract PricesProof {
    /// @dev base_cost and growth_cost of both profiles in backend/chain/profiles.
    uint256 private constant BASE_COST = 1e15;
    uint256 private constant GROWTH_COST = 1e18;

    function check_windowPrice_growsWithTheMask(uint8 parentMask, uint8 mask, uint8 more) external pure {
        vm.assume(mask & more == mask);
        uint256 price = Slots.windowPrice(BASE_COST, GROWTH_COST, parentMask, mask);
        assert(Slots.windowPrice(BASE_COST, GROWTH_COST, parentMask, more) >= price);
    }
}
