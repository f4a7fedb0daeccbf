// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules} from "../types/KernelTypes.sol";
import {BoardWord} from "./BoardWord.sol";
import {Combat} from "./Combat.sol";
import {QUEUE} from "./KernelMemory.sol";

/// @title What the teacher wants in a position
/// @dev docs/spec, labels. The reference runs Dijkstra's algorithm; this floods bitboards from the goals in order of
/// cost, which finds the same first step because every cheapest first step is emitted at the same, earliest cost.
library Labels {
    using BoardWord for uint256;

    /// @dev The move label of a position that has none.
    uint256 internal constant NO_MOVE = 4;

    /// @dev The labels of a valid word.
    function label(
        uint256 word,
        Rules memory rules
    ) internal pure returns (uint256 move, uint256 attack, uint256 guard) {
        unchecked {
            uint256 me = word.self();
            uint256 foe = word.enemy();
            if (BoardWord.adjacent(me.field(BoardWord.POS), foe.field(BoardWord.POS))) {
                move = NO_MOVE;
                // At most the power, by either curve: OutputErrors counts on a label of 0 to 15.
                attack = Combat.damage(15, foe.field(BoardWord.DEFENSE) + foe.field(BoardWord.TEMP_DEF), rules);
            } else {
                move = _firstStep(word, rules.hazardStamina);
            }
            uint256 covered = uint256(rules.blockThresholdDen) * me.field(BoardWord.TEMP_DEF);
            guard = covered < uint256(rules.blockThresholdNum) * foe.field(BoardWord.POWER) ? 1 : 0;
        }
    }

    function _firstStep(uint256 word, uint256 hazardCost) private pure returns (uint256) {
        uint256 tile = word.self().field(BoardWord.POS);
        uint256 foe = 1 << word.enemy().field(BoardWord.POS);
        uint256 free = ~(word.walls() | foe) & BoardWord.BOARD;
        // All first steps of cheapest paths are in `hit`; the spec takes the lowest direction among them.
        uint256 hit = _flood(foe, BoardWord.neighbours(1 << tile), free, word.hazards(), hazardCost);
        for (uint256 d = 0; d < 4; ++d) {
            if (BoardWord.step(tile, d) & hit != 0) return d;
        }
        return NO_MOVE;
    }

    /// @dev The tiles of `targets` from which a cheapest path leads to a tile next to `foe`, counting the cost of
    /// entering them; 0 if there is none. A tile settled at cost t is left at t + 1, a hazard at t + 1 + hazardCost:
    /// since that delay is the same for all hazards, they wait in a first-in, first-out queue of (cost, tiles).
    /// Every turn but the last lets at least one tile leave, and no tile leaves twice: at most 64 turns, whatever the
    /// terrain. The queue gets at most one word a turn, and each holds hazards that no other holds: it stays within the
    /// 64 words at QUEUE, the only memory written.
    function _flood(
        uint256 foe,
        uint256 targets,
        uint256 free,
        uint256 hazards,
        uint256 hazardCost
    ) private pure returns (uint256 hit) {
        unchecked {
            uint256 settled = BoardWord.neighbours(foe) & free;
            uint256 unseen = free & ~settled;
            uint256 head = QUEUE;
            uint256 tail = QUEUE;
            uint256 cost = 0;
            while (true) {
                // Invariant: `settled` are the tiles that reach one next to the foe at `cost`, and at no lower one. The
                // queue's costs rise from head to tail, since `cost` does and the delay is constant; none is below the
                // next `cost`.
                uint256 waiting = settled & hazards;
                if (waiting != 0) {
                    assembly ("memory-safe") {
                        mstore(tail, or(shl(64, add(add(cost, 1), hazardCost)), waiting))
                        tail := add(tail, 0x20)
                    }
                }
                uint256 leaving = settled & ~hazards;
                ++cost;
                if (head != tail) {
                    uint256 first;
                    assembly ("memory-safe") {
                        first := mload(head)
                    }
                    // Nothing leaves at this cost: go on at the next at which something does.
                    if (leaving == 0) cost = first >> 64;
                    if (first >> 64 == cost) {
                        leaving |= first & BoardWord.BOARD;
                        head += 0x20;
                    }
                } else if (leaving == 0) {
                    return 0;
                }
                hit = leaving & targets;
                if (hit != 0) return hit;
                settled = BoardWord.neighbours(leaving) & unseen;
                unseen ^= settled;
            }
        }
    }
}
