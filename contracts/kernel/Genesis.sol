// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader} from "../types/KernelTypes.sol";
import {SplitMix64} from "./SplitMix64.sol";
import {WEIGHTS, WEIGHTS_2, WEIGHTS_4, WEIGHTS_BYTES} from "./KernelMemory.sol";

/// @title A newborn brain
/// @dev docs/spec, network §1. The generator runs on two numbers at once, each in its own half of a word. Every weight
/// it makes is within 1024, so each lane has its guard bit and nothing is left to check. Fills all of WEIGHTS.
library Genesis {
    uint256 private constant ZEROS = 0xc000c000c000c000c000c000c000c000c000c000c000c000c000c000c000c000;

    /// @dev The state at hatch, its weights in the kernel's memory.
    function state(uint256 beastId, bytes32 dna) internal pure returns (StateHeader memory header) {
        // All weights are drawn first and some cleared then: weight i has the i-th number whatever sleeps.
        uint8 mask = maskOf(dna);
        _generate(SplitMix64.fold64(dna));
        _clearPadding();
        // Rows of units asleep: 32 of 128 bytes in W2, 16 of 16 bytes in W4. Waking the slot changes no output at
        // first.
        for (uint256 s = 0; s < 4; ++s) {
            if ((mask >> s) & 1 == 0) _clear(WEIGHTS_2 + s * 0x1000, 0x1000);
            if ((mask >> (4 + s)) & 1 == 0) _clear(WEIGHTS_4 + s * 0x100, 0x100);
        }
        header = StateHeader(beastId, dna, 0, mask, 0, 0);
    }

    /// @dev Slots awake at hatch: 1 to 4 sensors, 1 to 4 appendages.
    function maskOf(bytes32 dna) internal pure returns (uint8) {
        uint256 sensors = (2 << (uint8(dna[4]) & 3)) - 1;
        uint256 appendages = (2 << (uint8(dna[5]) & 3)) - 1;
        return uint8(sensors | (appendages << 4));
    }

    /// @dev All weights: ((draw(seed, i) >> 2) mod 17 - 8) * 128. SplitMix64.mix in 128-bit lanes: a state has 64 bits,
    /// so its sum with the step and its products with the multipliers stay in the lane, and `m` cuts them to 64 again.
    /// A shift to the right brings bits of the upper lane into bits 64 to 127 of the lower one, which `m` or the mask
    /// before `mod` drops.
    function _generate(uint256 seed) private pure {
        // The states that weights 0 and 1 come from; GOLDEN, with which mix begins, is added already.
        uint256 first;
        unchecked {
            uint256 x = seed + SplitMix64.GOLDEN;
            first = ((x & SplitMix64.MASK) << 128) | ((x + SplitMix64.GOLDEN) & SplitMix64.MASK);
        }
        assembly ("memory-safe") {
            /// Two weights, each 0 to 16, from the two states in `x`.
            function pair(x) -> w {
                let m := 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
                let z := and(xor(x, shr(30, x)), m)
                z := and(mul(z, 0xbf58476d1ce4e5b9), m)
                z := and(xor(z, shr(27, z)), m)
                z := and(mul(z, 0x94d049bb133111eb), m)
                z := xor(z, shr(31, z))
                w := or(
                    shl(16, mod(and(shr(130, z), 0x3fffffffffffffff), 17)),
                    mod(and(shr(2, z), 0x3fffffffffffffff), 17)
                )
            }
            /// Two numbers on: 2 * GOLDEN mod 2^64 in each lane.
            function next(x) -> y {
                let m := 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
                y := and(add(x, 0x3c6ef372fe94f82a00000000000000003c6ef372fe94f82a), m)
            }
            let x := first
            for {
                let p := WEIGHTS
            } lt(p, add(WEIGHTS, WEIGHTS_BYTES)) {
                p := add(p, 0x20)
            } {
                let lanes := 0
                for {
                    let i := 0
                } lt(i, 2) {
                    i := add(i, 1)
                } {
                    lanes := or(shl(32, lanes), pair(x))
                    x := next(x)
                    lanes := or(shl(32, lanes), pair(x))
                    x := next(x)
                    lanes := or(shl(32, lanes), pair(x))
                    x := next(x)
                    lanes := or(shl(32, lanes), pair(x))
                    x := next(x)
                }
                // 0xbc00 = 0xc000 - 8 * 128; a lane is at most 0xbc00 + 16 * 128 = 0xc400, so none carries.
                mstore(p, add(shl(7, lanes), 0xbc00bc00bc00bc00bc00bc00bc00bc00bc00bc00bc00bc00bc00bc00bc00bc00))
            }
        }
    }

    /// @dev The columns of the two padding logits are zero, in both of the rows that are in a word of W4. They stay so,
    /// since those logits have no errors.
    function _clearPadding() private pure {
        assembly ("memory-safe") {
            for {
                let p := WEIGHTS_4
            } lt(p, add(WEIGHTS, WEIGHTS_BYTES)) {
                p := add(p, 0x20)
            } {
                let kept := and(mload(p), 0xffffffffffffffffffffffff00000000ffffffffffffffffffffffff00000000)
                mstore(p, or(kept, 0xc000c000000000000000000000000000c000c000))
            }
        }
    }

    /// @dev Weights 0 in `length` bytes, a multiple of 32.
    function _clear(uint256 from, uint256 length) private pure {
        assembly ("memory-safe") {
            for {
                let end := add(from, length)
            } lt(from, end) {
                from := add(from, 0x20)
            } {
                mstore(from, ZEROS)
            }
        }
    }
}
