// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title One position in one word
/// @dev Layout and validity: docs/spec, rules §2. A creature is seven bytes, shifted down to bit 0 when it is taken
/// out.
library BoardWord {
    uint256 internal constant BOARD = 0xffffffffffffffff;
    uint256 internal constant CREATURE = 0xffffffffffffff;
    uint256 internal constant SELF_BIT = 128;
    uint256 internal constant ENEMY_BIT = 184;
    uint256 internal constant TURN_BIT = 240;
    uint256 internal constant FLAGS_BIT = 248;

    uint256 internal constant POS = 0;
    uint256 internal constant HP = 8;
    uint256 internal constant STAMINA = 16;
    uint256 internal constant TEMP_DEF = 24;
    uint256 internal constant POWER = 32;
    uint256 internal constant DEFENSE = 40;
    /// @dev Two things in one byte: the action in bits 0 and 1, the heading above them.
    uint256 internal constant LAST = 48;
    uint256 internal constant HEADING = 50;

    /// @dev 0 none, else 1 + the direction of the creature's last movement.
    uint256 private constant MAX_HEADING = 4;
    /// @dev Bit 7 of tempDef, power and defense; bit 6 and 7 of pos.
    uint256 private constant FORBIDDEN = 0x8080800000c0;

    // The parts of a word are cut out without a check: what is not a valid word has parts, too, but no meaning.

    function walls(uint256 word) internal pure returns (uint256) {
        return word & BOARD;
    }

    function hazards(uint256 word) internal pure returns (uint256) {
        return (word >> 64) & BOARD;
    }

    function self(uint256 word) internal pure returns (uint256) {
        return (word >> SELF_BIT) & CREATURE;
    }

    function enemy(uint256 word) internal pure returns (uint256) {
        return (word >> ENEMY_BIT) & CREATURE;
    }

    function turn(uint256 word) internal pure returns (uint256) {
        return (word >> TURN_BIT) & 0xff;
    }

    /// @dev What a creature did last; the heading beside it outlives it.
    function action(uint256 creature) internal pure returns (uint256) {
        return (creature >> LAST) & 3;
    }

    /// @dev 0 to 4 in a valid word.
    function heading(uint256 creature) internal pure returns (uint256) {
        return creature >> HEADING;
    }

    /// @dev A byte of a creature; `offset` is one of the constants above.
    function field(uint256 creature, uint256 offset) internal pure returns (uint256) {
        return (creature >> offset) & 0xff;
    }

    /// @dev The parts must fit their places: nothing is cut off here, and what is too wide would run into the next
    /// part.
    function pack(
        uint256 walls_,
        uint256 hazards_,
        uint256 self_,
        uint256 enemy_,
        uint256 turn_,
        uint256 flags_
    ) internal pure returns (uint256) {
        return
            walls_ |
            (hazards_ << 64) |
            (self_ << SELF_BIT) |
            (enemy_ << ENEMY_BIT) |
            (turn_ << TURN_BIT) |
            (flags_ << FLAGS_BIT);
    }

    /// @dev Whether a word may be trained on; any other makes a null step.
    function isValid(uint256 word) internal pure returns (bool) {
        uint256 a = self(word);
        uint256 b = enemy(word);
        // First the bits that must be clear: with them go positions from 64 on, before anything is shifted by one.
        if ((a | b) & FORBIDDEN != 0 || word >> FLAGS_BIT > 1) return false;
        if (a >> HEADING > MAX_HEADING || b >> HEADING > MAX_HEADING) return false;
        if (a & 0xff == b & 0xff || a & 0xff00 == 0 || b & 0xff00 == 0) return false;
        uint256 standing = (1 << (a & 0xff)) | (1 << (b & 0xff));
        return walls(word) & (hazards(word) | standing) == 0;
    }

    /// @dev Whether two tiles are at Manhattan distance 1; the board does not wrap.
    function adjacent(uint256 a, uint256 b) internal pure returns (bool) {
        return (neighbours(1 << a) >> b) & 1 == 1;
    }

    /// @dev All tiles next to any tile of a board. Before a shift east or west the last column goes, which would come
    /// round into the next row; what leaves north falls off at bit 0, what leaves south is cut off by BOARD.
    function neighbours(uint256 board) internal pure returns (uint256) {
        return
            ((board << 8) | (board >> 8) | ((board & 0x7f7f7f7f7f7f7f7f) << 1) | ((board & 0xfefefefefefefefe) >> 1)) &
            BOARD;
    }

    /// @dev The tile next to `tile` (0 N, 1 S, 2 E, 3 W) as a board; 0 when it is off the board.
    function step(uint256 tile, uint256 direction) internal pure returns (uint256) {
        uint256 bit = 1 << tile;
        if (direction == 0) return bit >> 8;
        if (direction == 1) return (bit << 8) & BOARD;
        if (direction == 2) return (bit & 0x7f7f7f7f7f7f7f7f) << 1;
        return (bit & 0xfefefefefefefefe) >> 1;
    }

    /// @dev `tile` moved in a direction; the target must be on the board, as `step` not being 0 says.
    function move(uint256 tile, uint256 direction) internal pure returns (uint256) {
        unchecked {
            if (direction == 0) return tile - 8;
            if (direction == 1) return tile + 8;
            return direction == 2 ? tile + 1 : tile - 1;
        }
    }
}
