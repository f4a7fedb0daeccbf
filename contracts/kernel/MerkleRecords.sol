// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {HASH_INPUT} from "./KernelMemory.sol";

/// @title Positional Merkle trees over words
/// @dev docs/spec, merkle: leaf keccak(0x00, word), node keccak(0x01, left, right), padding leaves are zero. The first
/// byte keeps a node from passing for a leaf. The root alone does not fix the length: callers take both from the same
/// commitment, and only indices below it.
library MerkleRecords {
    /// @dev Siblings in a proof for a tree of `length` words, length 1 or more: ceil(log2(length)).
    function depth(uint256 length) internal pure returns (uint256 d) {
        while (1 << d < length) ++d;
    }

    /// @dev The root that `word` at `index` and the `d` siblings at calldata offset `siblings` lead to. The index must
    /// be below 2^d: bits above are not looked at. Siblings beyond the calldata would read as zeros; the callers check
    /// lengths. Writes 65 bytes at HASH_INPUT, so only after KernelMemory.reserve (Logs has a version for free memory).
    function rootOf(uint256 word, uint256 index, uint256 siblings, uint256 d) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore8(HASH_INPUT, 0)
            mstore(add(HASH_INPUT, 1), word)
            hash := keccak256(HASH_INPUT, 33)
            mstore8(HASH_INPUT, 1)
            for {
                let i := 0
            } lt(i, d) {
                i := add(i, 1)
            } {
                // 32 for a right child: it goes to the second place and its sibling to the first.
                let right := shl(5, and(shr(i, index), 1))
                mstore(add(add(HASH_INPUT, 1), right), hash)
                mstore(sub(add(HASH_INPUT, 0x21), right), calldataload(add(siblings, shl(5, i))))
                hash := keccak256(HASH_INPUT, 65)
            }
        }
    }
}
