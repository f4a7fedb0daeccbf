// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleRecords} from "../kernel/MerkleRecords.sol";
import {IArena} from "../interfaces/IArena.sol";

/// @title The Merkle tree of a match log (docs/spec, merkle)
/// @dev The kernel's own (MerkleRecords) works in the kernel's memory; here nothing is reserved.
library Logs {
    /// @notice The root over all words of a log, one or more.
    function root(uint256[] calldata log) internal pure returns (bytes32 top) {
        // Padding leaves are zero, as is fresh memory.
        bytes32[] memory nodes = new bytes32[](1 << MerkleRecords.depth(log.length));
        for (uint256 i = 0; i < log.length; ++i) {
            nodes[i] = _leaf(log[i]);
        }
        // In place: node i of a level overwrites one that is at or before the two it is made of, and these are read
        // first.
        for (uint256 width = nodes.length / 2; width > 0; width /= 2) {
            for (uint256 i = 0; i < width; ++i) {
                nodes[i] = _node(nodes[2 * i], nodes[2 * i + 1]);
            }
        }
        return nodes[0];
    }

    /// @notice Check that the word of a turn is the one under the root.
    function open(bytes32 logRoot, uint256 turns, uint256 turn, uint256 word, bytes32[] calldata proof) internal pure {
        // INVARIANT P60: a turn of a record has exactly one word, the one under the recorded root.
        if (turn >= turns) revert IArena.TurnOutOfRange(turns - 1, turn);
        uint256 depth = MerkleRecords.depth(turns);
        if (proof.length != depth) revert IArena.WrongProofLength(depth, proof.length);
        bytes32 node = _leaf(word);
        for (uint256 i = 0; i < depth; ++i) {
            node = (turn >> i) & 1 == 0 ? _node(node, proof[i]) : _node(proof[i], node);
        }
        if (node != logRoot) revert IArena.WrongProof(turn, word);
    }

    /// @dev keccak256(0x00, word). Hashed beyond the allocated memory, like `_node`: a log has up to 254 of each.
    /// Memory-safe, since what lies behind the free pointer may be used within a block; nothing there is needed after
    /// it.
    function _leaf(uint256 word) private pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0)
            mstore(add(free, 1), word)
            leaf := keccak256(free, 33)
        }
    }

    /// @dev keccak256(0x01, left, right)
    function _node(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 1)
            mstore(add(free, 1), left)
            mstore(add(free, 0x21), right)
            node := keccak256(free, 65)
        }
    }
}
