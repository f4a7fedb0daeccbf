// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules} from "../types/KernelTypes.sol";
import {BoardWord} from "./BoardWord.sol";
import {LOGITS} from "./KernelMemory.sol";
import {SplitMix64} from "./SplitMix64.sol";

/// @title One activation of combat
/// @dev docs/spec, rules §4. What a match is made of and who wins it is not decided here. A valid word whose match is
/// not over becomes one that is valid unless the enemy has fallen, given rules in range (ContextCheck).
library Combat {
    using BoardWord for uint256;

    uint256 internal constant REST = 0;
    uint256 internal constant MOVE = 1;
    uint256 internal constant ATTACK = 2;
    uint256 internal constant BLOCK = 3;

    /// @dev Damage without a critical hit, `power` at most. Divisors are positive since damageK is (ContextCheck).
    function damage(uint256 power, uint256 effectiveDefense, Rules memory rules) internal pure returns (uint256) {
        unchecked {
            uint256 k = rules.damageK;
            if (rules.damageCurve == 0) return (power * k) / (k + effectiveDefense);
            return effectiveDefense >= k ? 0 : (power * (k - effectiveDefense)) / k;
        }
    }

    /// @dev Whether an attack made in `turn` is critical.
    function critical(uint256 battleSeed, uint256 turn, Rules memory rules) internal pure returns (bool) {
        return SplitMix64.draw(battleSeed, turn) % rules.critOdds == 0;
    }

    /// @dev Whether a word may not be activated any more.
    function isOver(uint256 word, Rules memory rules) internal pure returns (bool) {
        return
            word.turn() >= rules.maxTurns ||
            word.self().field(BoardWord.HP) == 0 ||
            word.enemy().field(BoardWord.HP) == 0;
    }

    /// @dev The action that the logits of the last forward pass mean to `self` of a valid word: the first best of the
    /// directions open to it, half of the attack logit, the sign of the block logit unless it is exhausted. Reads
    /// LOGITS, which an update does not change: the action is that of before it.
    function decode(uint256 word) internal pure returns (uint256 direction, uint256 power, bool guard) {
        uint256 me = word.self();
        uint256 open = _openDirections(word.walls(), me);
        // An exhausted creature that blocks would never rest again, so it does not.
        bool fresh = _staminaAtStart(me) > 0;
        assembly ("memory-safe") {
            // Below every logit. What is open is not empty, so a direction is always taken.
            let best := not(0x7fffffff)
            for {
                let d := 0
            } lt(d, 4) {
                d := add(d, 1)
            } {
                let z := mload(add(LOGITS, shl(5, d)))
                // Strictly greater, so that of equals the lowest direction stays.
                if and(sgt(z, best), and(shr(d, open), 1)) {
                    best := z
                    direction := d
                }
            }
            // Compared without a sign, a negative one is large as well: 0 or 15 for whatever is not 0 to 15.
            power := sar(1, mload(add(LOGITS, 0x80)))
            if gt(power, 15) {
                power := mul(15, sgt(power, 0))
            }
            guard := and(sgt(mload(add(LOGITS, 0xa0)), 0), fresh)
        }
    }

    /// @dev The directions that decoding chooses from, bit d for direction d: those whose target is on the board and no
    /// wall, without the reverse of the heading unless it is the only one; all four if there is none. What a creature
    /// that cannot move would do with them has no effect, so it is not asked.
    function _openDirections(uint256 walls, uint256 me) private pure returns (uint256 open) {
        unchecked {
            uint256 tile = me.field(BoardWord.POS);
            for (uint256 d = 0; d < 4; ++d) {
                if (BoardWord.step(tile, d) & ~walls != 0) open |= 1 << d;
            }
            if (open == 0) return 15;
            uint256 heading = me.heading();
            if (heading == 0) return open;
            // Directions pair up as 0/1 and 2/3, so flipping the lowest bit reverses one.
            uint256 onward = open & ~(1 << ((heading - 1) ^ 1));
            return onward == 0 ? open : onward;
        }
    }

    /// @dev Stamina after what the last action costs; 0 is exhausted for this turn.
    function _staminaAtStart(uint256 me) private pure returns (uint256 stamina) {
        stamina = me.field(BoardWord.STAMINA);
        if (me.action() >= ATTACK) stamina = _less(stamina, 1);
    }

    /// @dev The word after `self` has acted: sides swapped, turn counted, the next critical flag drawn. The word must
    /// be valid and not over, `direction` 0 to 3, `power` 0 to 15.
    function activate(
        uint256 word,
        uint256 direction,
        uint256 power,
        bool guard,
        Rules memory rules,
        uint256 battleSeed
    ) internal pure returns (uint256) {
        unchecked {
            uint256 foe = word.enemy();
            (uint256 me, bool attacks) = _moveAndBlock(word, direction, guard, rules);
            if (attacks && power > 0) {
                foe = _hit(foe, power, word >> BoardWord.FLAGS_BIT != 0, rules);
                me = _setAction(me, ATTACK);
            }
            if (me.action() == REST) {
                me = _set(me, BoardWord.STAMINA, _min(me.field(BoardWord.STAMINA) + rules.restGain, 255));
            }
            // At most maxTurns, so it fits its byte. Drawn also when the match has ended: the last word is defined,
            // too.
            uint256 turn = word.turn() + 1;
            uint256 flags = critical(battleSeed, turn, rules) ? 1 : 0;
            return BoardWord.pack(word.walls(), word.hazards(), foe, me, turn, flags);
        }
    }

    /// @dev Start of turn, movement and block; also whether the creature can attack now.
    function _moveAndBlock(
        uint256 word,
        uint256 direction,
        bool guard,
        Rules memory rules
    ) private pure returns (uint256 me, bool attacks) {
        me = word.self();
        // ATTACK and BLOCK cost. Exhaustion is decided here, once: what a hazard takes below does not undo this turn's
        // attack.
        uint256 stamina = _staminaAtStart(me);
        uint256 did = REST;
        if (stamina > 0) {
            uint256 foeTile = word.enemy().field(BoardWord.POS);
            uint256 tile = me.field(BoardWord.POS);
            attacks = BoardWord.adjacent(tile, foeTile);
            // Who is adjacent stays; who is not cannot step onto the enemy. Off the board the target is 0, so no move.
            uint256 target = attacks ? 0 : BoardWord.step(tile, direction);
            if (target & ~word.walls() != 0) {
                tile = BoardWord.move(tile, direction);
                if (target & word.hazards() != 0) stamina = _less(stamina, rules.hazardStamina);
                // Nothing else changes a heading.
                me = _set(_set(me, BoardWord.POS, tile), BoardWord.LAST, (1 + direction) << 2);
                attacks = BoardWord.adjacent(tile, foeTile);
                did = MOVE;
            }
        }
        // Exhausted or not. If an attack follows, `activate` has it overwrite the block as what was done.
        if (guard) {
            uint256 raised = me.field(BoardWord.TEMP_DEF) + rules.blockGain;
            me = _set(me, BoardWord.TEMP_DEF, _min(raised, rules.blockCap));
            did = BLOCK;
        }
        me = _setAction(_set(me, BoardWord.STAMINA, stamina), did);
    }

    function _hit(uint256 foe, uint256 power, bool crit, Rules memory rules) private pure returns (uint256) {
        uint256 hit = damage(power, foe.field(BoardWord.DEFENSE) + foe.field(BoardWord.TEMP_DEF), rules);
        if (crit) hit *= 2;
        return _set(_set(foe, BoardWord.HP, _less(foe.field(BoardWord.HP), hit)), BoardWord.TEMP_DEF, 0);
    }

    function _set(uint256 creature, uint256 offset, uint256 value) private pure returns (uint256) {
        return (creature & ~(0xff << offset)) | (value << offset);
    }

    /// @dev The heading stays as it is.
    function _setAction(uint256 creature, uint256 did) private pure returns (uint256) {
        return (creature & ~(3 << BoardWord.LAST)) | (did << BoardWord.LAST);
    }

    function _less(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            return a > b ? a - b : 0;
        }
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
