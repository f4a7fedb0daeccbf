// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRecordArchive} from "../interfaces/IRecordArchive.sol";
import {SplitMix64} from "../kernel/SplitMix64.sol";

/// @title Which records a PRIVATE window samples (docs/spec, samples §3), and their opening against the committed root
library Records {
    uint256 private constant STEPS = 128;
    uint256 private constant SEGMENTS = 16;
    uint256 private constant SEGMENT_BYTES = 256;

    /// @notice Record sampled by the step that starts at `globalStep`.
    /// @param streamSeed fold64(dna) ^ fold64(S_owner)
    function indexAt(uint256 streamSeed, uint32 globalStep, uint256 length) internal pure returns (uint256) {
        return SplitMix64.mix(streamSeed ^ globalStep) % length;
    }

    /// @notice Depth of the tree over `length` records: ⌈log2 length⌉, so 0 for a dataset of one.
    function depth(uint256 length) internal pure returns (uint256 d) {
        while (1 << d < length) ++d;
    }

    /// @notice Map the steps of a window onto its distinct records.
    /// @param firstStep global step of the window's first step
    /// @param order per step the place of its record in `words`
    /// @param words the distinct records, by ascending index
    /// @return indices of `words` in the dataset, strictly ascending
    /// @return wordsHash keccak256 of the 16 segment digests, each keccak256 of eight words in step order
    function map(
        uint256 length,
        uint256 streamSeed,
        uint32 firstStep,
        bytes calldata order,
        bytes32[] calldata words
    ) internal pure returns (uint256[] memory indices, bytes32 wordsHash) {
        if (order.length != STEPS) revert IRecordArchive.OrderLength(STEPS, order.length);
        uint256 count = words.length;
        if (count == 0 || count > STEPS) revert IRecordArchive.RecordCount(STEPS, count);
        // One more than the index, so that 0 says that no step has named the place yet.
        indices = new uint256[](count);
        bytes32[] memory inOrder = new bytes32[](STEPS);
        for (uint256 j = 0; j < STEPS; ++j) {
            uint32 step;
            unchecked {
                step = firstStep + uint32(j);
            }
            uint256 index = indexAt(streamSeed, step, length);
            uint256 place = uint8(order[j]);
            // INVARIANT P18: each step gets the word at exactly the index that it samples, however often that recurs.
            if (place >= count || (indices[place] != 0 && indices[place] != index + 1)) {
                revert IRecordArchive.WrongOrder(j, index);
            }
            indices[place] = index + 1;
            inOrder[j] = words[place];
        }
        // Strictly ascending, so no place is unnamed and no record comes twice: the multiproof below relies on it.
        uint256 before = 0;
        for (uint256 place = 0; place < count; ++place) {
            uint256 next = indices[place];
            if (next <= before) revert IRecordArchive.RecordsUnordered(place);
            before = next;
            indices[place] = next - 1;
        }
        wordsHash = _digest(inOrder);
    }

    /// @notice The root that words at ascending indices and a multiproof lead to.
    /// @param siblings what is lacking, level by level from the leaves up, by ascending index
    function root(
        uint256[] memory indices,
        bytes32[] calldata words,
        uint256 levels,
        bytes32[] calldata siblings
    ) internal pure returns (bytes32) {
        uint256 count = words.length;
        bytes32[] memory nodes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            nodes[i] = _leaf(words[i]);
        }
        uint256 used = 0;
        for (uint256 level = 0; level < levels; ++level) {
            (count, used) = _climb(indices, nodes, count, siblings, used);
        }
        // Of too few siblings the last reads were of what follows them in the calldata: no root comes of that.
        if (used != siblings.length) revert IRecordArchive.SiblingCount(used, siblings.length);
        return nodes[0];
    }

    /// @dev One level up: each node is hashed with its neighbour, which is the next node or the next sibling. Parents go to
    /// the arrays' beginnings, never ahead of what is read.
    /// @return made nodes of the level above
    /// @return usedUp siblings so far
    function _climb(
        uint256[] memory indices,
        bytes32[] memory nodes,
        uint256 count,
        bytes32[] calldata siblings,
        uint256 used
    ) private pure returns (uint256 made, uint256 usedUp) {
        assembly ("memory-safe") {
            // keccak256(0x01, left, right): 65 bytes beyond the free pointer, which nothing else uses meanwhile.
            let scratch := mload(0x40)
            let left := add(scratch, 0x01)
            let right := add(scratch, 0x21)
            mstore8(scratch, 1)
            let sibling := add(siblings.offset, shl(5, used))
            // From an index to its node.
            let toNode := sub(nodes, indices)
            let from := add(indices, 0x20)
            let to := from
            let end := add(from, shl(5, count))
            for {} lt(from, end) {
                to := add(to, 0x20)
            } {
                let index := mload(from)
                let node := mload(add(from, toNode))
                from := add(from, 0x20)
                switch and(index, 1)
                case 0 {
                    mstore(left, node)
                    switch and(lt(from, end), eq(mload(from), add(index, 1)))
                    case 0 {
                        mstore(right, calldataload(sibling))
                        sibling := add(sibling, 0x20)
                    }
                    default {
                        mstore(right, mload(add(from, toNode)))
                        from := add(from, 0x20)
                    }
                }
                default {
                    mstore(left, calldataload(sibling))
                    sibling := add(sibling, 0x20)
                    mstore(right, node)
                }
                mstore(to, shr(1, index))
                mstore(add(to, toNode), keccak256(scratch, 0x41))
            }
            made := shr(5, sub(to, add(indices, 0x20)))
            usedUp := shr(5, sub(sibling, siblings.offset))
        }
    }

    function _digest(bytes32[] memory inOrder) private pure returns (bytes32 wordsHash) {
        bytes32[] memory digests = new bytes32[](SEGMENTS);
        for (uint256 s = 0; s < SEGMENTS; ++s) {
            bytes32 digest;
            assembly ("memory-safe") {
                // the words of segment s, behind the array's length
                digest := keccak256(add(add(inOrder, 0x20), mul(s, SEGMENT_BYTES)), SEGMENT_BYTES)
            }
            digests[s] = digest;
        }
        assembly ("memory-safe") {
            wordsHash := keccak256(add(digests, 0x20), mul(SEGMENTS, 0x20))
        }
    }

    /// @dev keccak256(0x00, word), in scratch space: 33 bytes from 0x1f.
    function _leaf(bytes32 word) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, 0)
            mstore(0x20, word)
            hash := keccak256(0x1f, 0x21)
        }
    }
}
