// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules, WindowContext} from "../types/KernelTypes.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {BoardWord} from "./BoardWord.sol";
import {Combat} from "./Combat.sol";
import {TEMPLATE_TABLE} from "./KernelMemory.sol";
import {MerkleRecords} from "./MerkleRecords.sol";
import {SplitMix64} from "./SplitMix64.sol";

/// @title Which position a micro-step trains on
/// @dev docs/spec, samples. Nobody chooses: given the context and the header, a step has exactly one word. Every word
/// that is drawn here is valid; a record or an arena need not be (Window).
library Samples {
    using BoardWord for uint256;

    uint256 internal constant CURRICULUM = 0;
    uint256 internal constant SELF_PLAY = 1;
    uint256 internal constant BATTLE = 2;
    uint256 internal constant PRIVATE = 3;

    /// @dev hp 100, stamina 16, last action REST, no heading.
    uint256 private constant FRESH = (100 << 8) | (16 << 16);

    /// @dev Bytes of one step's witness: the word and its siblings; the word alone where it was opened before; 0 where
    /// samples are generated.
    function witnessBytes(WindowContext memory ctx) internal pure returns (uint256) {
        if (ctx.source < BATTLE) return 0;
        if (ctx.recordsLength == 0) return 32;
        return 32 * (1 + MerkleRecords.depth(ctx.recordsLength));
    }

    /// @dev The terrain of a curriculum step.
    function template(bytes32 epochSeed, uint256 globalStep) internal pure returns (uint256 walls, uint256 hazards) {
        unchecked {
            uint256 index = (uint256(epochSeed) + globalStep) & 63;
            // Of the word read, the upper half is the template; for the last one the rest is beyond the table, in the
            // map.
            assembly ("memory-safe") {
                let pair := mload(add(TEMPLATE_TABLE, shl(4, index)))
                walls := shr(192, pair)
                hazards := and(shr(128, pair), 0xffffffffffffffff)
            }
        }
    }

    /// @dev Random terrain drawn from `s`: 3 tiles of 16 are walls, 1 in 8 of the others a hazard, on average.
    function terrain(uint256 s) internal pure returns (uint256 walls, uint256 hazards) {
        uint256 either = SplitMix64.draw(s, 2) | SplitMix64.draw(s, 3);
        walls = SplitMix64.draw(s, 0) & SplitMix64.draw(s, 1) & either;
        hazards = SplitMix64.draw(s, 4) & SplitMix64.draw(s, 5) & SplitMix64.draw(s, 6) & ~walls;
    }

    /// @dev A valid word drawn from `s` on the given terrain.
    function position(uint256 s, uint256 walls, uint256 hazards, Rules memory rules) internal pure returns (uint256) {
        unchecked {
            (uint256 own, uint256 other) = _tiles(SplitMix64.draw(s, 7));
            uint256 cleared = ~((1 << own) | (1 << other));
            uint256 t = SplitMix64.draw(s, 8);
            uint256 me =
                FRESH |
                    own |
                    (_guard(t >> 16, rules) << BoardWord.TEMP_DEF) |
                    (((t >> 18) & 127) << BoardWord.POWER) |
                    (((t >> 25) & 127) << BoardWord.DEFENSE);
            uint256 foe =
                FRESH |
                    other |
                    (_guard(t >> 7, rules) << BoardWord.TEMP_DEF) |
                    (((t >> 9) & 127) << BoardWord.POWER) |
                    ((t & 127) << BoardWord.DEFENSE);
            return BoardWord.pack(walls & cleared, hazards & cleared, me, foe, 0, 0);
        }
    }

    /// @dev Two different tiles: an opposite neighbour is on the board where the other is not, and flipping the lowest
    /// bit of a tile gives a neighbour in its row.
    function _tiles(uint256 q) private pure returns (uint256 own, uint256 other) {
        own = q & 63;
        other = (q >> 6) & 63;
        if ((q >> 12) & 3 == 0) {
            uint256 direction = (q >> 14) & 3;
            // Off the board: the opposite neighbour; directions pair up as 0/1 and 2/3.
            if (BoardWord.step(own, direction) == 0) direction ^= 1;
            other = BoardWord.move(own, direction);
        }
        if (other == own) other ^= 1;
    }

    /// @dev A temporary defence that blocks can have raised, so at most 127 (blockCap's range).
    function _guard(uint256 t, Rules memory rules) private pure returns (uint256) {
        unchecked {
            uint256 raised = (t & 3) * rules.blockGain;
            return raised < rules.blockCap ? raised : rules.blockCap;
        }
    }

    /// @dev The record that a battle or private step trains on. In range, since recordsLength is not 0 (ContextCheck).
    /// Private steps mix in the owner's secret, so that who knows the chain alone cannot tell which records are used.
    function recordIndex(WindowContext memory ctx, uint256 globalStep) internal pure returns (uint256) {
        uint256 key = SplitMix64.fold64(ctx.dna) ^ globalStep;
        if (ctx.source == PRIVATE) key ^= ctx.ownerSecretFold;
        return SplitMix64.mix(key) % ctx.recordsLength;
    }

    /// @dev The record of a step, opened by the witness at calldata offset `witness`; `n` counts the call's steps. That
    /// the witness lies within the calldata is Window.run's check of the length.
    function openRecord(
        WindowContext memory ctx,
        uint256 globalStep,
        uint256 witness,
        uint256 n
    ) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(witness)
        }
        if (ctx.recordsLength == 0) return word;
        uint256 index = recordIndex(ctx, globalStep);
        bytes32 root = MerkleRecords.rootOf(word, index, witness + 32, MerkleRecords.depth(ctx.recordsLength));
        // INVARIANT: one index of the committed records has exactly one word.
        if (root != ctx.recordsRoot) revert IStepReferee.WrongWitness(n, index);
    }

    /// @dev The arena after a self-play step: self acts by its logits, the enemy at random. 0 starts afresh, also after
    /// selfPlayWords words of one match, for its neighbours are too alike to learn from.
    function playOn(
        uint256 word,
        uint256 seed,
        uint256 globalStep,
        Rules memory rules
    ) internal pure returns (uint256 next) {
        // The turn of an arena made up by hand may be any byte, and nobody acts in a match that is over.
        if (Combat.isOver(word, rules)) return 0;
        (uint256 direction, uint256 power, bool guard) = Combat.decode(word);
        next = Combat.activate(word, direction, power, guard, rules, seed);
        if (Combat.isOver(next, rules)) return 0;
        uint256 u = SplitMix64.draw(seed ^ globalStep, 16);
        next = Combat.activate(next, u & 3, (u >> 2) & 15, (u >> 6) & 3 == 0, rules, seed);
        if (Combat.isOver(next, rules) || next.turn() >= 2 * uint256(rules.selfPlayWords)) return 0;
        if (_standOff(word) && _standOff(next)) return 0;
    }

    function _standOff(uint256 word) private pure returns (bool) {
        return BoardWord.adjacent(word.self().field(BoardWord.POS), word.enemy().field(BoardWord.POS));
    }
}
