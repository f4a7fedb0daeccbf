// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader} from "../types/KernelTypes.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {KernelTables} from "./KernelTables.sol";
import {WEIGHTS, WEIGHTS_BYTES} from "./KernelMemory.sol";

/// @title What a checkpoint commits to
/// @dev docs/spec, network §5. Also the door through which weights enter: nothing malformed gets past it.
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

    function weightsHash() internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := keccak256(WEIGHTS, WEIGHTS_BYTES)
        }
    }

    /// @dev Copies serialised weights into the kernel's memory.
    function load(bytes calldata weights) internal pure {
        // INVARIANT: the lane arithmetic never sees a lane without its guard bit.
        if (weights.length != WEIGHTS_BYTES) revert IStepReferee.MalformedLength(WEIGHTS_BYTES, weights.length);
        uint256 all = GUARDS;
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
