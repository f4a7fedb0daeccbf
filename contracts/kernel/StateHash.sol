// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader} from "../types/KernelTypes.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {KernelTables} from "./KernelTables.sol";
import {GROUPS, LEAVES, WEIGHTS, WEIGHTS_2, WEIGHTS_BYTES} from "./KernelMemory.sol";

/// @title What a checkpoint commits to
/// @dev docs/spec, state §2. Also the door through which weights enter: nothing malformed gets past it, so every state
/// has one encoding and the lane arithmetic (KernelMemory) has its guard bits.
///
/// The root of the weights. Leaves are hashes of rows as they are serialised: one row of W1 (256 bytes), W2 or W3 (128),
/// eight rows of W4 (128). Every 16 leaves of a layer make a group, and the 15 groups the root:
///
///            W1         W2           W3          W4
///   leaves   0 ... 31   32 ... 159   160 ... 223  224 ... 231
///   groups   0, 1       2 ... 9      10 ... 13    14, of eight leaves
///
/// No prefix tells leaves from groups, and none has to: the shape is fixed here, and no proof says how deep it is.
library StateHash {
    uint256 private constant GUARDS = 0x8000800080008000800080008000800080008000800080008000800080008000;

    function kernelId() internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(KernelTables.VERSION, KernelTables.EXP, KernelTables.TEMPLATES));
    }

    /// @dev The hash of a header with the weights in the kernel's memory.
    function current(bytes32 id, StateHeader memory header) internal pure returns (bytes32) {
        return hash(id, header, weightsRoot());
    }

    function hash(bytes32 id, StateHeader memory header, bytes32 weightsRoot_) internal pure returns (bytes32) {
        return keccak256(abi.encode(id, header, weightsRoot_));
    }

    /// @dev They are in memory as they are serialised, also after steps: the encoding needs no pass of its own. Writes a
    /// group's leaves and the groups, in the room of the label's queue, which is empty between steps.
    function weightsRoot() internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            // Groups 0 and 1 have rows of 256 bytes; all others rows, or eights of rows, of 128.
            let row := WEIGHTS
            let size := 0x100
            for {
                let group := GROUPS
            } lt(group, add(GROUPS, 0x1c0)) {
                group := add(group, 0x20)
            } {
                if eq(row, WEIGHTS_2) {
                    size := 0x80
                }
                for {
                    let leaf := LEAVES
                } lt(leaf, add(LEAVES, 0x200)) {} {
                    mstore(leaf, keccak256(row, size))
                    row := add(row, size)
                    mstore(add(leaf, 0x20), keccak256(row, size))
                    row := add(row, size)
                    leaf := add(leaf, 0x40)
                }
                mstore(group, keccak256(LEAVES, 0x200))
            }
            // The last group: what is left, eight leaves.
            for {
                let leaf := LEAVES
            } lt(leaf, add(LEAVES, 0x100)) {
                leaf := add(leaf, 0x20)
            } {
                mstore(leaf, keccak256(row, size))
                row := add(row, size)
            }
            mstore(add(GROUPS, 0x1c0), keccak256(LEAVES, 0x100))
            root := keccak256(GROUPS, 0x1e0)
        }
    }

    /// @dev Copies serialised weights into the kernel's memory: exactly as many bytes as the map has room for, since
    /// the length is checked before the copy.
    function load(bytes calldata weights) internal pure {
        // INVARIANT: the lane arithmetic never sees a lane without its guard bit.
        if (weights.length != WEIGHTS_BYTES) revert IStepReferee.MalformedLength(WEIGHTS_BYTES, weights.length);
        uint256 all = GUARDS;
        // 132 times 256 bytes, which is WEIGHTS_BYTES: no turn reads beyond it. Only a bit that is set in every word is
        // left.
        assembly ("memory-safe") {
            calldatacopy(WEIGHTS, weights.offset, WEIGHTS_BYTES)
            for {
                let p := WEIGHTS
            } lt(p, add(WEIGHTS, WEIGHTS_BYTES)) {
                p := add(p, 0x100)
            } {
                let low := and(and(mload(p), mload(add(p, 0x20))), and(mload(add(p, 0x40)), mload(add(p, 0x60))))
                p := add(p, 0x80)
                all := and(all, low)
                all := and(all, and(and(mload(p), mload(add(p, 0x20))), and(mload(add(p, 0x40)), mload(add(p, 0x60)))))
                p := sub(p, 0x80)
            }
        }
        if (all != GUARDS) revert IStepReferee.MalformedGuard(_firstClear());
    }

    /// @dev The word for the error; there is one, so the loop ends.
    function _firstClear() private pure returns (uint256 index) {
        unchecked {
            for (; ; ++index) {
                uint256 word;
                assembly ("memory-safe") {
                    word := mload(add(WEIGHTS, shl(5, index)))
                }
                if (word & GUARDS != GUARDS) return index;
            }
        }
    }
}
