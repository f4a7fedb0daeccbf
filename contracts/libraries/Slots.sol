// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The slot masks of a beast and what they cost: docs/spec, network §1, protocol §5
/// @dev Bits 0–3 are sensor slots, bits 4–7 appendage slots.
library Slots {
    uint256 internal constant SENSOR_PARAMS = 3_072;
    uint256 internal constant APPENDAGE_PARAMS = 1_152;
    uint256 internal constant SLAB_PARAMS = 16_896;
    uint256 internal constant WINDOW_STEPS = 128;

    /// @return the mask of hatch: 1–4 sensors by dna[4], 1–4 appendages by dna[5]
    function genesisMask(bytes32 dna) internal pure returns (uint8) {
        uint256 sensors = 1 + (uint8(dna[4]) & 3);
        uint256 appendages = 1 + (uint8(dna[5]) & 3);
        return uint8(((1 << sensors) - 1) | (((1 << appendages) - 1) << 4));
    }

    /// @return n set bits of an 8-bit mask
    /// @dev Pairs of bits, then nibbles, then the byte are counted within themselves. A wider mask gives nonsense.
    function count(uint256 mask) internal pure returns (uint256 n) {
        unchecked {
            n = mask - ((mask >> 1) & 0x55);
            n = (n & 0x33) + ((n >> 2) & 0x33);
            n = (n + (n >> 4)) & 0x0f;
        }
    }

    function activeParams(uint256 mask) internal pure returns (uint256) {
        return SENSOR_PARAMS * count(mask & 15) + APPENDAGE_PARAMS * count((mask >> 4) & 15);
    }

    /// @notice Price of one window: 128 steps, each rounded up to the wei, and every newly woken slot.
    /// @dev The registry's bounds keep it below 2^88, and bond + energy of 2^32 windows below 2^128: costs are at most
    /// 2^80 and activeParams at most SLAB_PARAMS, so a window costs at most 128 * 2^80 + 8 * 2^80; the bond at most 255
    /// times that.
    function windowPrice(
        uint256 baseCost,
        uint256 growthCost,
        uint256 parentMask,
        uint256 mask
    ) internal pure returns (uint256) {
        unchecked {
            uint256 stepCost = (baseCost * activeParams(mask) + SLAB_PARAMS - 1) / SLAB_PARAMS;
            return WINDOW_STEPS * stepCost + growthCost * count(mask & ~parentMask & 0xff);
        }
    }
}
