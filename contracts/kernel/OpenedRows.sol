// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMatchReferee} from "../interfaces/IMatchReferee.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {RowOpening} from "../types/KernelTypes.sol";
import {GROUPS, LEAVES, LIST_1, LIST_2, LIST_3, LIST_INPUT, WEIGHTS, WEIGHTS_2, WEIGHTS_4} from "./KernelMemory.sol";

/// @title Some rows of a state instead of all
/// @dev docs/spec, state §2. A forward pass reads the rows of active units only, a third of a trained state at most, so
/// that is all that a proof about one has to bring: `load` puts them where the whole state would be, and
/// `requireAllRead` refuses afterwards if the pass has met a row that was not brought.
///
/// Calldata is what such a proof costs, so a leaf whose weights are all within -2048 to 2047 may come packed, 12 bits a
/// weight instead of 16: most of a trained state do.
///
/// What could a sender vary? Which leaves are open, and which of them are packed, is one number each, so none comes
/// twice, none out of order and none beyond the last. These and the fixed shape say how long the rows are and how many
/// hashes stand for the rest, so there is no other depth and no padding. Everything else is hashed, as it is unpacked.
library OpenedRows {
    uint256 private constant GUARDS = 0x8000800080008000800080008000800080008000800080008000800080008000;
    uint256 private constant LEAF_COUNT = 232;

    /// @dev Copies the opened rows to their places and returns the root that they and the hashes of all others have. What
    /// is not opened is left as it was: zero, in a call's fresh memory.
    function load(RowOpening calldata opening) internal pure returns (bytes32 root) {
        uint256 open = opening.leaves;
        uint256 packed = opening.packed;
        if (open >> LEAF_COUNT != 0) revert IMatchReferee.UnknownLeaves(open);
        if (packed & ~open != 0) revert IMatchReferee.UnknownLeaves(packed);
        bytes calldata rows = opening.rows;
        bytes32[] calldata siblings = opening.siblings;
        uint256 rowsRead;
        uint256 siblingsRead;
        uint256 malformed;
        // What is read beyond the end of either array is other calldata, or zeros; that it was is seen below.
        assembly ("memory-safe") {
            /// Unpacks 24 bytes for every 32 from `to` to `end`: halves of the lanes are moved apart, then halves of
            /// these, down to single ones. A lane w + 2^11 becomes w + 0xC000, so it always has its guard bit.
            function unpack(to, end, at) {
                for {} lt(to, end) {} {
                    let v := shr(64, calldataload(at))
                    let high := shr(96, v)
                    v := or(shl(128, high), xor(v, shl(96, high)))
                    high := and(v, 0x00000000ffffffffffff00000000000000000000ffffffffffff000000000000)
                    v := or(shl(16, high), xor(v, high))
                    high := and(v, 0x0000ffffff0000000000ffffff0000000000ffffff0000000000ffffff000000)
                    v := or(shl(8, high), xor(v, high))
                    high := and(v, 0x00fff00000fff00000fff00000fff00000fff00000fff00000fff00000fff000)
                    v := or(shl(4, high), xor(v, high))
                    mstore(to, add(v, 0xb800b800b800b800b800b800b800b800b800b800b800b800b800b800b800b800))
                    to := add(to, 0x20)
                    at := add(at, 0x18)
                }
            }
            let row := WEIGHTS
            let size := 0x100
            let from := rows.offset
            let sibling := siblings.offset
            let leaves := 0x200
            for {
                let group := GROUPS
            } lt(group, add(GROUPS, 0x1e0)) {
                group := add(group, 0x20)
            } {
                if eq(row, WEIGHTS_2) {
                    size := 0x80
                }
                // The last group has eight leaves, and `open` no bit beyond them.
                if eq(row, WEIGHTS_4) {
                    leaves := 0x100
                }
                switch and(open, 0xffff)
                case 0 {
                    mstore(group, calldataload(sibling))
                    sibling := add(sibling, 0x20)
                    // A leaf takes 32 bytes of `leaves`.
                    row := add(row, mul(shr(5, leaves), size))
                    open := shr(16, open)
                    packed := shr(16, packed)
                }
                default {
                    for {
                        let leaf := LEAVES
                    } lt(leaf, add(LEAVES, leaves)) {
                        leaf := add(leaf, 0x20)
                    } {
                        switch and(open, 1)
                        case 0 {
                            mstore(leaf, calldataload(sibling))
                            sibling := add(sibling, 0x20)
                        }
                        default {
                            switch and(packed, 1)
                            case 0 {
                                calldatacopy(row, from, size)
                                from := add(from, size)
                            }
                            default {
                                unpack(row, add(row, size), from)
                                // Three quarters of the size, which 32 divides.
                                from := add(from, sub(size, shr(2, size)))
                            }
                            mstore(leaf, keccak256(row, size))
                            let all := and(
                                and(mload(row), mload(add(row, 0x20))),
                                and(mload(add(row, 0x40)), mload(add(row, 0x60)))
                            )
                            if eq(size, 0x100) {
                                all := and(all, and(mload(add(row, 0x80)), mload(add(row, 0xa0))))
                                all := and(all, and(mload(add(row, 0xc0)), mload(add(row, 0xe0))))
                            }
                            if and(iszero(malformed), lt(and(all, GUARDS), GUARDS)) {
                                malformed := row
                            }
                        }
                        row := add(row, size)
                        open := shr(1, open)
                        packed := shr(1, packed)
                    }
                    mstore(group, keccak256(LEAVES, leaves))
                }
            }
            root := keccak256(GROUPS, 0x1e0)
            rowsRead := sub(from, rows.offset)
            siblingsRead := shr(5, sub(sibling, siblings.offset))
        }
        // INVARIANT: an opening is exactly as long as the opened leaves need; every byte of it is under the root.
        if (rows.length != rowsRead) revert IMatchReferee.RowsLength(rowsRead, rows.length);
        if (siblings.length != siblingsRead) revert IMatchReferee.SiblingCount(siblingsRead, siblings.length);
        // INVARIANT: the lane arithmetic never sees a lane without its guard bit, except in rows that are not opened.
        if (malformed != 0) revert IStepReferee.MalformedGuard(_firstClear(malformed));
    }

    /// @dev That every row which the forward pass on memory's lists has read was opened. An opened row has its guard bits
    /// (`load`), so one whose first word is zero was not. Units come in the order of the layers: the first list is right,
    /// being made of the word alone; if the rows that it names are open, so is the second; and so on. Until then the
    /// lists may be wrong, but are as bounded as any (Forward: its sums hold for any bytes).
    function requireAllRead() internal pure {
        _requireOpen(LIST_INPUT);
        _requireOpen(LIST_1);
        _requireOpen(LIST_2);
        uint256 list = LIST_3;
        while (true) {
            uint256 entry;
            assembly ("memory-safe") {
                entry := mload(list)
            }
            if (entry == 0) return;
            // An entry has 128 * (unit + 1) from bit 8 on; eight units share a leaf.
            unchecked {
                _requireOpenRow(WEIGHTS_4 + ((((entry >> 15) - 1) >> 3) << 7));
                list += 0x20;
            }
        }
    }

    function _requireOpen(uint256 list) private pure {
        while (true) {
            uint256 entry;
            assembly ("memory-safe") {
                entry := mload(list)
            }
            if (entry == 0) return;
            _requireOpenRow(entry >> 8);
            unchecked {
                list += 0x20;
            }
        }
    }

    function _requireOpenRow(uint256 row) private pure {
        uint256 word;
        assembly ("memory-safe") {
            word := mload(row)
        }
        // INVARIANT: no activation is computed from weights that are not under the root.
        if (word == 0) revert IMatchReferee.MissingRow(_leafOf(row));
    }

    /// @dev The leaf of the row at an address; all rows after W1 lie 128 bytes apart.
    function _leafOf(uint256 row) private pure returns (uint256) {
        return row < WEIGHTS_2 ? (row - WEIGHTS) >> 8 : 32 + ((row - WEIGHTS_2) >> 7);
    }

    /// @dev The word for the error, counted in the whole state; there is one in the row, so the loop ends.
    function _firstClear(uint256 row) private pure returns (uint256 index) {
        unchecked {
            for (; ; row += 0x20) {
                uint256 word;
                assembly ("memory-safe") {
                    word := mload(row)
                }
                if (word & GUARDS != GUARDS) return (row - WEIGHTS) >> 5;
            }
        }
    }
}
