// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader} from "../types/KernelTypes.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {KernelTables} from "./KernelTables.sol";
import {WEIGHTS, WEIGHTS_BYTES} from "./KernelMemory.sol";

/// @title What a checkpoint commits to
/// @dev docs/spec, state §2. Also the door through which weights enter: nothing malformed gets past it, so every state
/// has one encoding and the lane arithmetic (KernelMemory) has its guard bits.
library StateHash {
    uint256 private constant GUARDS = 0x8000800080008000800080008000800080008000800080008000800080008000;

    function kernelId() internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(KernelTables.VERSION, KernelTables.EXP, KernelTables.TEMPLATES));
    }

    /// @dev The hash of a header with the weights in the kernel's memory.
    function current(bytes32 id, StateHeader memory header) internal pure returns (bytes32) {
        return hash(id, header, weightsHash());
    }

    function hash(bytes32 id, StateHeader memory header, bytes32 weightsHash_) internal pure returns (bytes32) {
        return keccak256(abi.encode(id, header, weightsHash_));
    }

    /// @dev They are in memory as they are serialised, also after steps: the encoding needs no pass of its own.
    function weightsHash() internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := keccak256(WEIGHTS, WEIGHTS_BYTES)
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
