// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMatchReferee} from "contracts/interfaces/IMatchReferee.sol";
import {RowOpening, StateHeader} from "contracts/types/KernelTypes.sol";
import {Protocol} from "./Protocol.sol";

/// @title Openings of a state's rows, true ones and all others
/// @dev Any state and any leaves: the judge finds the word that the whole state leads to, or reverts. The state's hash is
/// the StepReferee's, which hashes all weights by other code.
contract OpenedRows is Protocol {
    uint256 private constant LEAVES = 232;
    uint256 private constant ALL = (1 << LEAVES) - 1;
    uint256 private constant GUARDS = 0x8000800080008000800080008000800080008000800080008000800080008000;
    /// @dev Self on tile 9 and the enemy on tile 54 of an empty board, a hundred hp and sixteen stamina each.
    uint256 private constant WORD = 0x143c0010643600143c0010640900000000000000000000000000000000;

    function testFuzz_leaves_whateverIsOpened_theWordOfTheWholeStateOrNone(
        bytes32 seed,
        uint8 one,
        uint8 other
    ) external view {
        bytes memory weights = _weights(seed);
        (bool ok, bytes memory whole) = _next(weights, _open(weights, ALL));
        require(ok, "a whole state leads to a word");
        uint256 missing = (1 << (one % LEAVES)) | (1 << (other % LEAVES));
        (bool found, bytes memory answer) = _next(weights, _open(weights, ALL & ~missing));
        if (found) require(keccak256(answer) == keccak256(whole), "less is opened, the word is the same");
        else require(bytes4(answer) == IMatchReferee.MissingRow.selector, "only a row that is read is missed");
    }

    function testFuzz_leaves_packed_theSameWord(bytes32 seed, uint256 leaves) external view {
        bytes memory weights = _weights(seed);
        _narrow(weights);
        RowOpening memory opening = _open(weights, leaves % 2 == 0 ? ALL : leaves & ALL);
        (bool plain, bytes memory whole) = _next(weights, opening);
        _pack(opening);
        (bool found, bytes memory answer) = _next(weights, opening);
        require(found == plain && keccak256(answer) == keccak256(whole), "packed or not, the answer is the same");
    }

    function testFuzz_opening_changed_reverts(bytes32 seed, uint256 leaves, uint8 kind, uint256 place) external view {
        bytes memory weights = _weights(seed);
        RowOpening memory opening = _open(weights, kind & 8 == 0 ? leaves & ALL : ALL);
        if (!_changed(opening, kind % 8, place)) return;
        (bool found, bytes memory answer) = _next(weights, opening);
        require(!found, "no other opening leads to a word");
        bytes4 error = bytes4(answer);
        require(error != IMatchReferee.MissingRow.selector, "none but a true opening is run at all");
    }

    /// @dev Changes an opening in one way; false if there is nothing to change.
    function _changed(RowOpening memory opening, uint256 kind, uint256 place) private pure returns (bool) {
        bytes memory rows = opening.rows;
        bytes32[] memory siblings = opening.siblings;
        if (kind == 0) {
            opening.leaves ^= 1 << (place % 256);
            return true;
        }
        if (kind == 1) {
            opening.rows = bytes.concat(rows, new bytes(32 * (1 + (place % 8))));
            return true;
        }
        if (kind == 2) {
            opening.siblings = new bytes32[](siblings.length + 1 + (place % 16));
            for (uint256 i = 0; i < siblings.length; ++i) opening.siblings[i] = siblings[i];
            return true;
        }
        if (kind < 5) {
            if (siblings.length == 0) return false;
            if (kind == 3) _cut(siblings, siblings.length - 1);
            else siblings[place % siblings.length] ^= bytes32(1 << (place >> 248));
            return true;
        }
        if (rows.length < 256) return false;
        if (kind == 5) {
            rows[place % rows.length] ^= bytes1(uint8(1 << (place >> 253)));
            return true;
        }
        // A row of 128 bytes in the place of its neighbour; and one that comes twice.
        if (kind == 6) return _repeat(rows, place % (rows.length / 128 - 1));
        opening.rows = bytes.concat(_firstRow(rows), rows);
        return true;
    }

    function _cut(bytes32[] memory list, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(list, length)
        }
    }

    function _repeat(bytes memory rows, uint256 row) private pure returns (bool) {
        bool same = true;
        for (uint256 i = 128 * row; i < 128 * row + 128; ++i) {
            if (rows[i] != rows[i + 128]) same = false;
            rows[i] = rows[i + 128];
        }
        return !same;
    }

    function _firstRow(bytes memory rows) private pure returns (bytes memory row) {
        row = new bytes(128);
        for (uint256 i = 0; i < 128; ++i) row[i] = rows[i];
    }

    /// @dev The judge's answer, or its error.
    function _next(bytes memory weights, RowOpening memory opening) private view returns (bool, bytes memory) {
        StateHeader memory header = StateHeader(1, "parent", 128, 0xff, 7, 0);
        bytes32 expected = referee.stateHash(header, weights);
        bytes memory data = abi.encodeCall(judge.nextWord, (expected, header, opening, WORD, 5, _season.rules));
        return address(judge).staticcall(data);
    }

    /// @dev Any weights: 16 random lanes a word, with their guard bits.
    function _weights(bytes32 seed) private pure returns (bytes memory weights) {
        weights = new bytes(WEIGHTS_BYTES);
        assembly ("memory-safe") {
            mstore(0, seed)
            for {
                let i := 0
            } lt(i, WEIGHTS_BYTES) {
                i := add(i, 0x20)
            } {
                mstore(0x20, i)
                mstore(add(add(weights, 0x20), i), or(keccak256(0, 0x40), GUARDS))
            }
        }
    }

    /// @dev Lets every weight be within -2048 to 2047: 12 random bits a lane, above 0xB800.
    function _narrow(bytes memory weights) private pure {
        assembly ("memory-safe") {
            let end := add(add(weights, 0x20), mload(weights))
            for {
                let p := add(weights, 0x20)
            } lt(p, end) {
                p := add(p, 0x20)
            } {
                let lanes := and(mload(p), 0x0fff0fff0fff0fff0fff0fff0fff0fff0fff0fff0fff0fff0fff0fff0fff0fff)
                mstore(p, add(lanes, 0xb800b800b800b800b800b800b800b800b800b800b800b800b800b800b800b800))
            }
        }
    }

    /// @dev The opening of some leaves, by the text of the spec: leaf by leaf, group by group.
    function _open(bytes memory weights, uint256 leaves) private pure returns (RowOpening memory opening) {
        opening.leaves = leaves;
        opening.siblings = new bytes32[](LEAVES);
        uint256 count = 0;
        for (uint256 first = 0; first < LEAVES; first += 16) {
            count = _openGroup(weights, opening, first, count);
        }
        _cut(opening.siblings, count);
        opening.rows = _rows(weights, leaves);
    }

    /// @dev The same opening with the packed leaves that may be packed: here all that are opened, of narrow weights.
    function _pack(RowOpening memory opening) private pure {
        opening.packed = opening.leaves;
        bytes memory rows = opening.rows;
        bytes memory packed = new bytes((rows.length / 4) * 3);
        uint256 at = 0;
        for (uint256 i = 0; i < rows.length; i += 4) {
            uint256 two = _lane(rows, i) * 4096 + _lane(rows, i + 2);
            for (uint256 byte_ = 0; byte_ < 3; ++byte_) packed[at++] = bytes1(uint8(two >> (8 * (2 - byte_))));
        }
        opening.rows = packed;
    }

    /// @dev w + 2048, of a lane w + 0xC000.
    function _lane(bytes memory rows, uint256 i) private pure returns (uint256) {
        return uint256(uint8(rows[i])) * 256 + uint8(rows[i + 1]) - 0xb800;
    }

    function _openGroup(
        bytes memory weights,
        RowOpening memory opening,
        uint256 first,
        uint256 count
    ) private pure returns (uint256) {
        uint256 size = first + 16 > LEAVES ? LEAVES - first : 16;
        if ((opening.leaves >> first) & 0xffff == 0) {
            bytes memory group;
            for (uint256 leaf = first; leaf < first + size; ++leaf) {
                group = bytes.concat(group, _leaf(weights, leaf));
            }
            opening.siblings[count++] = keccak256(group);
            return count;
        }
        for (uint256 leaf = first; leaf < first + size; ++leaf) {
            if ((opening.leaves >> leaf) & 1 == 0) opening.siblings[count++] = _leaf(weights, leaf);
        }
        return count;
    }

    function _rows(bytes memory weights, uint256 leaves) private pure returns (bytes memory rows) {
        rows = new bytes(WEIGHTS_BYTES);
        uint256 length = 0;
        for (uint256 leaf = 0; leaf < LEAVES; ++leaf) {
            if ((leaves >> leaf) & 1 == 0) continue;
            (uint256 start, uint256 size) = _place(leaf);
            assembly ("memory-safe") {
                mcopy(add(add(rows, 0x20), length), add(add(weights, 0x20), start), size)
            }
            length += size;
        }
        assembly ("memory-safe") {
            mstore(rows, length)
        }
    }

    function _leaf(bytes memory weights, uint256 leaf) private pure returns (bytes32 hash) {
        (uint256 start, uint256 size) = _place(leaf);
        assembly ("memory-safe") {
            hash := keccak256(add(add(weights, 0x20), start), size)
        }
    }

    /// @dev Where a leaf lies in a serialised state.
    function _place(uint256 leaf) private pure returns (uint256 start, uint256 size) {
        return leaf < 32 ? (256 * leaf, 256) : (8_192 + 128 * (leaf - 32), 128);
    }
}
