// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Heads, PackedHead} from "contracts/libraries/Heads.sol";
import {Schedules} from "contracts/libraries/Schedules.sol";
import {Slots} from "contracts/libraries/Slots.sol";
import {Head} from "contracts/types/CheckpointTypes.sol";
import {Schedule} from "contracts/types/SeasonTypes.sol";

/// @title Heads, slots, prices and schedules for any values, against the same rules written otherwise
/// @dev Needs no artifact, so a fault of a library is tried in seconds (scripts/mutate).
contract Libraries {
    using Heads for PackedHead;
    using Schedules for Schedule;

    uint256 private constant MAX_COST = 1 << 80;
    uint256 private constant BASE_COST = 1e15;
    uint256 private constant GROWTH_COST = 1e18;

    PackedHead private _head;

    // --- heads ------------------------------------------------------------------------------------------------

    function testFuzz_heads_readAsTheyWereWritten(Head memory h, Head memory before, uint32 count) external {
        _head.store(before);
        _head.store(h);
        _requireHead(h);
        _head.setFinalCount(count);
        h.finalCount = count;
        _requireHead(h);
    }

    function _requireHead(Head memory h) private view {
        require(keccak256(abi.encode(_head.load())) == keccak256(abi.encode(h)), "a head is read as it was written");
        require(_head.headCount() == h.headCount && _head.finalCount() == h.finalCount, "and its counts alone");
    }

    // --- slots and prices -------------------------------------------------------------------------------------

    function testFuzz_slots_count_areTheBitsSet(uint8 mask) external pure {
        (uint256 sensors, uint256 appendages) = (_bits(mask & 15), _bits(mask >> 4));
        require(Slots.count(mask) == sensors + appendages, "a mask counts its bits");
        require(Slots.activeParams(mask) == 3_072 * sensors + 1_152 * appendages, "a slot has its parameters");
    }

    function testFuzz_slots_genesisMask_fillsFromTheLowEnd(bytes32 dna) external pure {
        uint8 mask = Slots.genesisMask(dna);
        (uint256 sensors, uint256 appendages) = (mask & 15, mask >> 4);
        require(_bits(sensors) == 1 + (uint8(dna[4]) % 4), "the fifth byte gives one to four sensors");
        require(_bits(appendages) == 1 + (uint8(dna[5]) % 4), "the sixth byte gives one to four appendages");
        require(sensors & (sensors + 1) == 0 && appendages & (appendages + 1) == 0, "the lowest ones are awake");
    }

    /// @dev What halmos proves of a season's own prices holds of any that the registry takes: rounded up by less than a unit a
    /// step, never more than the whole slab, dearer with each slot and cost, and in the unit that is paid.
    function testFuzz_windowPrice_isExact(uint96 base, uint96 growth, uint8 parent, uint8 mask) external pure {
        (uint256 baseCost, uint256 growthCost) = (1 + (base % MAX_COST), growth % (MAX_COST + 1));
        uint256 price = Slots.windowPrice(baseCost, growthCost, parent, mask);
        uint256 woken = growthCost * _bits(mask & ~parent);
        require(price >= woken && (price - woken) % 128 == 0, "a window is 128 equal steps and what wakes");
        uint256 step = (price - woken) / 128;
        uint256 due = baseCost * Slots.activeParams(mask);
        require(step * 16_896 >= due && step * 16_896 < due + 16_896, "a step is rounded up to the unit");
        require(step <= baseCost && price <= 136 * MAX_COST, "no window costs more than the registry's bound");
    }

    /// @dev Every pair of masks, at base_cost and growth_cost of the profiles in backend/chain/profiles.
    function test_windowPrice_ofEveryMask_atTheShippedPrices() external pure {
        for (uint256 mask = 0; mask < 256; ++mask) {
            uint256 due = BASE_COST * Slots.activeParams(mask);
            uint256 steps = Slots.windowPrice(BASE_COST, GROWTH_COST, mask, mask);
            require(steps % 128 == 0 && steps <= 128 * BASE_COST, "128 equal steps, none above the whole network's");
            require(steps * 132 >= due && steps * 132 < due + 16_896, "each rounded up by less than a unit");
            for (uint256 parent = 0; parent < 256; ++parent) {
                uint256 price = Slots.windowPrice(BASE_COST, GROWTH_COST, parent, mask);
                require(price == steps + GROWTH_COST * _bits(mask & ~parent), "what wakes is paid once");
            }
        }
    }

    function testFuzz_windowPrice_growsWithSlotsAndCosts(
        uint80 base,
        uint80 growth,
        uint8 mask,
        uint8 bit
    ) external pure {
        uint256 one = 1 << (bit % 8);
        uint256 price = Slots.windowPrice(base, growth, mask, mask);
        require(Slots.windowPrice(base, growth, mask, mask | one) >= price, "a slot more costs no less");
        require(Slots.windowPrice(uint256(base) + 1, growth, mask, mask) >= price, "nor does a dearer step");
        uint256 grown = Slots.windowPrice(base, growth, 0, mask | one);
        require(Slots.windowPrice(base, uint256(growth) + 1, 0, mask | one) > grown, "nor dearer growth");
    }

    function _bits(uint256 mask) private pure returns (uint256 n) {
        for (; mask != 0; mask >>= 1) n += mask % 2;
    }

    // --- schedules --------------------------------------------------------------------------------------------

    function testFuzz_schedules_headsUnlockInTurn(Schedule memory s, uint32 epoch) external pure {
        uint256 attackFrom = s.moveOnlyEpochs;
        uint256 blockFrom = attackFrom + s.attackEpochs;
        uint256[5] memory epochs = [epoch, attackFrom, attackFrom + 1, blockFrom, blockFrom + 1];
        for (uint256 i = 0; i < 5; ++i) {
            _requireHeads(s, epochs[i], attackFrom, blockFrom);
            if (epochs[i] != 0) _requireHeads(s, epochs[i] - 1, attackFrom, blockFrom);
        }
    }

    function _requireHeads(Schedule memory s, uint256 epoch, uint256 attackFrom, uint256 blockFrom) private pure {
        uint8 heads = s.heads(epoch);
        require(heads & 1 == 1 && heads < 8, "movement is always learned");
        require((heads & 2 != 0) == (epoch >= attackFrom), "attack is learned from its epoch on");
        require((heads & 4 != 0) == (epoch >= blockFrom), "block is learned from its epoch on");
    }

    function testFuzz_schedules_lrShift_decaysByOneAStride(Schedule memory s, uint8 decays) external pure {
        (s.lrMax, s.lrEpochsPerDecay) = (3 + (s.lrMax % 13), s.lrEpochsPerDecay == 0 ? 1 : s.lrEpochsPerDecay);
        s.lrBase = 3 + (s.lrBase % (s.lrMax - 2));
        require(s.lrShift(0) == s.lrBase && s.lrShift(s.lrHoldEpochs) == s.lrBase, "the first shift is held");
        uint256 n = 1 + (decays % 16);
        uint256 edge = s.lrHoldEpochs + n * s.lrEpochsPerDecay;
        require(s.lrShift(edge) == _atMost(s.lrBase + n, s.lrMax), "each stride adds one, up to the last shift");
        require(s.lrShift(edge - 1) == _atMost(s.lrBase + n - 1, s.lrMax), "and not an epoch earlier");
    }

    function _atMost(uint256 value, uint256 most) private pure returns (uint256) {
        return value < most ? value : most;
    }
}
