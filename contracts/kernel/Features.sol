// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BoardWord} from "./BoardWord.sol";
import {LIST_INPUT, WEIGHTS_1} from "./KernelMemory.sol";

/// @title What the network sees of a position
/// @dev docs/spec, network §2. Inputs go straight into the list of active units; zeros are left out, and the order of
/// the others does not matter to a sum. Of 32 there are at most 27 (20 tiles, one direction per axis, 5 others), each
/// at most 112: below the 127 at which an activation counts as clipped, and with bit 7 of an entry free. That rests on
/// a valid word (BoardWord.isValid): fields of 7 bits, positions on the board.
library Features {
    using BoardWord for uint256;

    /// @dev The board with rows of 16 tiles, two rows and four columns in: everything off the board is a wall. Tile (x,
    /// y) is bit 16(y + 2) + x + 4, so the 5 by 5 square around it begins at bit 16y + x + 2 and ends within row 11,
    /// column 13.
    uint256 private constant FRAME = 0x0000000000000000fffffffff00ff00ff00ff00ff00ff00ff00ff00fffffffff;

    /// @dev Lists the active inputs of a valid word at LIST_INPUT.
    function list(uint256 word) internal pure {
        unchecked {
            uint256 tile = word.self().field(BoardWord.POS);
            uint256 shift = ((tile >> 3) << 4) + (tile & 7) + 2;
            uint256 walls = (FRAME | (_widen(word.walls()) << 36)) >> shift;
            uint256 hazards = (_widen(word.hazards()) << 36) >> shift;
            uint256 end = _terrain(LIST_INPUT, walls, hazards);
            end = _creatures(end, word, tile);
            assembly ("memory-safe") {
                mstore(end, 0)
            }
        }
    }

    /// @dev Spreads eight rows of 8 tiles to eight rows of 16.
    function _widen(uint256 board) private pure returns (uint256 b) {
        b = (board | (board << 32)) & 0x00000000ffffffff00000000ffffffff;
        b = (b | (b << 16)) & 0x0000ffff0000ffff0000ffff0000ffff;
        b = (b | (b << 8)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff;
    }

    /// @dev Inputs 0 to 19: the 5 by 5 square around self without centre and corners, wall 32, hazard 16. No tile is
    /// both, in a valid word and off the board.
    function _terrain(uint256 begin, uint256 walls, uint256 hazards) private pure returns (uint256 end) {
        walls = _gather(walls);
        hazards = _gather(hazards);
        assembly ("memory-safe") {
            end := begin
            for {
                let tiles := or(walls, hazards)
            } tiles {} {
                let i := sub(255, clz(tiles))
                let x := or(shl(5, and(shr(i, walls), 1)), shl(4, and(shr(i, hazards), 1)))
                mstore(end, or(shl(8, add(WEIGHTS_1, shl(8, i))), x))
                end := add(end, 0x20)
                tiles := xor(tiles, shl(i, 1))
            }
        }
    }

    /// @dev The 20 tiles of a board whose square begins at bit 0, input 0 in bit 0: of its rows of 16 bits the first
    /// and the last give columns 1 to 3, the middle one all but column 2, which is self.
    function _gather(uint256 board) private pure returns (uint256) {
        uint256 top = ((board >> 1) & 0x7) | (((board >> 16) & 0x1f) << 3);
        uint256 middle = (((board >> 32) & 0x3) << 8) | (((board >> 35) & 0x3) << 10);
        return top | middle | (((board >> 48) & 0x1f) << 12) | (((board >> 65) & 0x7) << 17);
    }

    /// @dev Inputs 20 to 28: offset, adjacency, defence, power, own block, bias.
    function _creatures(uint256 begin, uint256 word, uint256 tile) private pure returns (uint256 end) {
        uint256 foe = word.enemy();
        uint256 other = foe.field(BoardWord.POS);
        end = _axis(begin, 20, tile & 7, other & 7);
        end = _axis(end, 22, tile >> 3, other >> 3);
        if (BoardWord.adjacent(tile, other)) end = _put(end, 24, 32);
        end = _put(end, 25, (foe.field(BoardWord.DEFENSE) + foe.field(BoardWord.TEMP_DEF)) >> 2);
        end = _put(end, 26, foe.field(BoardWord.POWER) >> 1);
        end = _put(end, 27, word.self().field(BoardWord.TEMP_DEF) >> 1);
        end = _put(end, 28, 32);
    }

    function _axis(uint256 begin, uint256 index, uint256 mine, uint256 other) private pure returns (uint256) {
        unchecked {
            return other > mine ? _put(begin, index, 16 * (other - mine)) : _put(begin, index + 1, 16 * (mine - other));
        }
    }

    function _put(uint256 begin, uint256 index, uint256 x) private pure returns (uint256 end) {
        end = begin;
        if (x != 0) {
            assembly ("memory-safe") {
                mstore(begin, or(shl(8, add(WEIGHTS_1, shl(8, index))), x))
                end := add(begin, 0x20)
            }
        }
    }
}
