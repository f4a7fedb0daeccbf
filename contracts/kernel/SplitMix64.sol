// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The kernel's only random numbers: Vigna's SplitMix64, addressed by counter
/// @dev Arguments and results are 64-bit values in `uint256`; docs/spec, rules §1. Arguments may be larger: 2^64
/// divides 2^256, so wrapping sums and products are right modulo 2^64, and `mix` begins by cutting its argument down.
/// Between two cuts a product has at most 128 bits. Unpredictable only as far as its seeds are; it is no cryptography.
library SplitMix64 {
    uint256 internal constant MASK = 0xffffffffffffffff;
    uint256 internal constant GOLDEN = 0x9e3779b97f4a7c15;

    /// @dev The generator's output for state `x`.
    function mix(uint256 x) internal pure returns (uint256) {
        unchecked {
            uint256 z = (x + GOLDEN) & MASK;
            z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & MASK;
            z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK;
            return z ^ (z >> 31);
        }
    }

    /// @dev The `n`-th number of the sequence that starts from `s`.
    function draw(uint256 s, uint256 n) internal pure returns (uint256) {
        unchecked {
            return mix(s + n * GOLDEN);
        }
    }

    /// @dev XOR of the four 64-bit words of a 32-byte value.
    function fold64(bytes32 value) internal pure returns (uint256) {
        uint256 v = uint256(value);
        return (v ^ (v >> 64) ^ (v >> 128) ^ (v >> 192)) & MASK;
    }
}
