// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules} from "../types/KernelTypes.sol";
import {BoardWord} from "./BoardWord.sol";
import {Combat} from "./Combat.sol";
import {Samples} from "./Samples.sol";

/// @title How a match begins and how it ends
/// @dev docs/spec, rules §4. What happens in between is Combat.
library Matches {
    using BoardWord for uint256;

    uint256 internal constant A_WINS = 0;
    uint256 internal constant B_WINS = 1;
    uint256 internal constant DRAW = 2;

    uint256 private constant TILE_A = 0;
    uint256 private constant TILE_B = 63;
    uint256 private constant CLEARED = ~((1 << TILE_A) | (1 << TILE_B));

    /// @dev Whether creature A makes the first activation, and so every even one. Bits 0 to 5 of the seed choose the
    /// template, so the order is independent of it.
    function aActsFirst(uint256 battleSeed) internal pure returns (bool) {
        return (battleSeed >> 6) & 1 == 0;
    }

    /// @dev The first word: terrain and order by the seed, creatures by their DNA. Needs the kernel's tables in memory.
    function firstWord(
        bytes32 dnaA,
        bytes32 dnaB,
        uint256 battleSeed,
        Rules memory rules
    ) internal pure returns (uint256) {
        (uint256 walls, uint256 hazards) = Samples.template(0, battleSeed);
        (uint256 me, uint256 foe) = (_creature(TILE_A, dnaA), _creature(TILE_B, dnaB));
        if (!aActsFirst(battleSeed)) (me, foe) = (foe, me);
        uint256 flags = Combat.critical(battleSeed, 0, rules) ? 1 : 0;
        return BoardWord.pack(walls & CLEARED, hazards & CLEARED, me, foe, 0, flags);
    }

    /// @dev A rested creature with the stats of its DNA: power and defense at most 127, so the word is valid.
    function _creature(uint256 tile, bytes32 dna) private pure returns (uint256) {
        uint256 power = 48 + (uint8(dna[0]) % 64);
        return
            tile |
            (startHp(dna) << BoardWord.HP) |
            (_stamina(dna) << BoardWord.STAMINA) |
            (power << BoardWord.POWER) |
            (_defense(dna) << BoardWord.DEFENSE);
    }

    /// @dev 116 to 219: the more of it, the less defense and, below 23, the less stamina. Never 0, so a share of it is
    /// defined.
    function startHp(bytes32 dna) internal pure returns (uint256) {
        uint256 stamina = _stamina(dna);
        uint256 short = stamina < 23 ? 23 - stamina : 0;
        return (44_800 + 94 * short * short) / (256 + _defense(dna));
    }

    function _defense(bytes32 dna) private pure returns (uint256) {
        return uint8(dna[1]) % 128;
    }

    function _stamina(bytes32 dna) private pure returns (uint256) {
        return 12 + (uint8(dna[2]) % 20);
    }

    /// @dev Whether a word may be activated.
    function isActive(uint256 word, Rules memory rules) internal pure returns (bool) {
        return BoardWord.isValid(word) && !Combat.isOver(word, rules);
    }

    /// @dev Whether the match is over after an activation that left `word`, and who has the greater share of its first
    /// hp left. That decides it also when a creature has fallen: its share is 0. First hp comes from the DNA, whatever
    /// a log begins with.
    function outcome(
        uint256 word,
        bytes32 dnaA,
        bytes32 dnaB,
        uint256 battleSeed,
        Rules memory rules
    ) internal pure returns (bool over, uint256 result) {
        // Both creatures' fields changed places with every activation, so `self` is whose turn it would be.
        if (!Combat.isOver(word, rules)) return (false, DRAW);
        uint256 a = word.self().field(BoardWord.HP);
        uint256 b = word.enemy().field(BoardWord.HP);
        bool selfIsA = aActsFirst(battleSeed) == (word.turn() & 1 == 0);
        if (!selfIsA) (a, b) = (b, a);
        // Shares compared crosswise: bytes times at most 219, so nothing is rounded or cut off.
        (a, b) = (a * startHp(dnaB), b * startHp(dnaA));
        if (a == b) return (true, DRAW);
        return (true, a > b ? A_WINS : B_WINS);
    }
}
