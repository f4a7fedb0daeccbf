// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    CORRECTION,
    ERRORS,
    ERRORS_REVERSED,
    KEEP,
    LIFT,
    LIMIT,
    LIST_1,
    LIST_2,
    LIST_3,
    LIST_INPUT,
    NEXT_ERRORS,
    OUTPUT_ERRORS,
    ROUND,
    SHIFT,
    WEIGHTS_2,
    WEIGHTS_3,
    WEIGHTS_4,
    WIDE_KEEP,
    WIDE_LIFT,
    WIDE_ROUND
} from "./KernelMemory.sol";

/// @title The backward pass and the update
/// @dev docs/spec, network §4. Lanes, signed and mirrored lanes: KernelMemory. The dot product of a row of weights with
/// the errors is the top lane of a product of packed integers. The update subtracts rounded deltas from 16 lanes at
/// once. Where that could be wrong, because a product may leave 16 bits or because a weight has left its 15 bits and so
/// cleared its guard bit, the row is taken back and done in 32-bit lanes with saturation instead.
///
/// Trusted here, and checked at the door: S = lrShift is 3 to 15 (ContextCheck); every guard bit is set
/// (StateHash.load, Genesis, and each update again); activations a are 1 to 127 and lists end (Forward, Features);
/// output errors are within 1024 (OutputErrors). Errors of hidden units are within 1023 (clamped below).
///
/// Order. Layers go from the last to the first; within a row, the unit's own error is summed from the old weights
/// before they are updated. One pass over a row does both, word by word: load, multiply, update, store. No row is read
/// after its update in the same step, so the error that goes down is always that of the old weights. Activations are in
/// the lists and do not change with the weights.
///
/// Narrow update, 16-bit lanes. With p = a * e + 2^(S-1):
///
///   product   -2^15 <= p < 2^15                    a <= LIMIT ensures it (_advance); else the row is redone
///   rounded   Y = (p + 2^15) >> S                  p + 2^15 fills no more than its lane; KEEP drops the bits that the
///               = (p >> S) + 2^(15-S)              shift brings in from the lane above; 2^S divides 2^15 since S <= 15
///   updated   T = w + 2^(15-S) - Y = w - (p >> S)  |p >> S| <= 2^12 since S >= 3: T is within 0x7000 ... 0x10fff
///
/// So a lane never borrows, and one that is right does not carry. The lowest lane that is wrong receives no carry, so
/// it shows T mod 2^16 with bit 15 clear: all guard bits are set if and only if all 64 weights are right.
///
/// Wide update, 32-bit lanes, of W4 and of redone rows:
///
///   product   |a * e| <= 127 * 1024 = 130,048 < 2^17
///   rounded   p + 2^17 is positive and <= 130,048 + 2^14 + 2^17 = 277,504 < 2^19: WIDE_KEEP leaves 19 - S bits
///   updated   |p >> S| <= 16,256 at S = 3: T is within 16,512 ... 81,791, positive and below 2^17, and is then clamped
///
/// S = 1 would send a wide lane below zero, and with S = 16 ROUND itself would leave its lane.
library Backward {
    /// @dev Fixes the learning-rate shift for the steps that follow. Writes the constants of the map only.
    function setRate(uint256 shift) internal pure {
        assembly ("memory-safe") {
            let ones := 0x0001000100010001000100010001000100010001000100010001000100010001
            mstore(SHIFT, shift)
            mstore(ROUND, mul(ones, add(0x8000, shl(sub(shift, 1), 1))))
            // ROUND adds 2^15 to keep a lane positive, which is 2^15 >> S after the shift: LIFT gives it back.
            mstore(LIFT, mul(ones, shr(shift, 0x8000)))
            mstore(KEEP, mul(ones, shr(shift, 0xffff)))
            ones := 0x0000000100000001000000010000000100000001000000010000000100000001
            mstore(WIDE_ROUND, mul(ones, add(0x20000, shl(sub(shift, 1), 1))))
            mstore(WIDE_LIFT, mul(ones, shr(shift, 0x20000)))
            mstore(WIDE_KEEP, mul(ones, shr(shift, 0x7ffff)))
        }
    }

    /// @dev Carries the output errors down through all layers of the last forward pass and updates every weight. Where
    /// a layer's errors are all zero, nothing below it can change: (0 + 2^(S-1)) >> S is 0.
    function run() internal pure {
        // NEXT_ERRORS is zero already, as this function leaves it so; but _outputLayer shall not rest on an earlier
        // step.
        _clearNext();
        _outputLayer();
        if (!_advance(4)) return;
        _hidden(LIST_2, WEIGHTS_3);
        if (!_advance(4)) return;
        _hidden(LIST_1, WEIGHTS_2);
        if (!_advance(8)) return;
        // The input has no errors to carry, so the halves of a row of W1 are independent, and one without errors (two
        // sensor slots asleep, for example) is left out. LIMIT is by the errors of both: cautious, not wrong.
        for (uint256 offset = 0; offset < 0x100; offset += 0x80) {
            if (_any(ERRORS + offset)) _input(offset);
        }
    }

    /// @dev Units that are not listed, asleep or inactive, must have error 0; the others are added into their lanes.
    function _clearNext() private pure {
        assembly ("memory-safe") {
            // Calldata beyond its end reads as zeros.
            calldatacopy(NEXT_ERRORS, calldatasize(), 0x100)
        }
    }

    /// @dev Whether any of 64 errors is not zero. A word of signed lanes is 0 only if all its lanes are.
    function _any(uint256 errors) private pure returns (bool any) {
        assembly ("memory-safe") {
            any := or(
                or(mload(errors), mload(add(errors, 0x20))),
                or(mload(add(errors, 0x40)), mload(add(errors, 0x60)))
            )
            any := iszero(iszero(any))
        }
    }

    /// @dev Makes the carried errors, `words` words of them, the current ones; false if they are all zero.
    function _advance(uint256 words) private pure returns (bool) {
        uint256 bound = _bound(words);
        if (bound == 0) return false;
        assembly ("memory-safe") {
            // LIMIT is the largest a with a * (bound + 1) + 2^(S-1) <= 2^15. Then, for a >= 1:
            //   e >= 0, e <= bound:      a * e + 2^(S-1) <= 2^15 - a < 2^15
            //   e < 0, |e| <= bound + 1: a * e + 2^(S-1) >= -2^15 + 2^S > -2^15
            // The carried bound is below 1024 (_bound), so the division is by no more than that and LIMIT is at least
            // 16.
            mstore(LIMIT, div(sub(0x8000, shr(1, shl(mload(SHIFT), 1))), add(bound, 1)))
            mcopy(ERRORS, NEXT_ERRORS, 0x100)
        }
        _clearNext();
        // The errors of a1 are not carried any further, and there is room for 64 mirrored errors only.
        if (words == 4) _reverse();
        return true;
    }

    /// @dev An upper bound of the carried errors: at least all e >= 0, and |e| - 1 for all e < 0; 0 if all are zero. It
    /// is the OR of them all, so at most 1023, and at most twice the greatest plus 1: a loose bound costs a redone row,
    /// never a wrong one. It is odd if it is not 0, so that a lone error of -1 does not pass for none.
    function _bound(uint256 words) private pure returns (uint256 bound) {
        assembly ("memory-safe") {
            let lift := 0x4000400040004000400040004000400040004000400040004000400040004000
            let low := 0x3fff3fff3fff3fff3fff3fff3fff3fff3fff3fff3fff3fff3fff3fff3fff3fff
            let any := 0
            for {
                let p := add(NEXT_ERRORS, shl(5, words))
            } gt(p, NEXT_ERRORS) {} {
                p := sub(p, 0x20)
                let e := mload(p)
                any := or(any, e)
                // Lifted above zero, an error keeps bit 14 of its lane if it is not negative. If it is, its 14 bits
                // below are 2^14 - |e|, and inverted |e| - 1: no carry into another lane, as negating it would have.
                e := add(e, lift)
                let negative := and(not(e), lift)
                bound := or(bound, and(xor(e, sub(negative, shr(14, negative))), low))
            }
            // The OR of 16 lanes, halving the word four times.
            if any {
                bound := or(bound, shr(128, bound))
                bound := or(bound, shr(64, bound))
                bound := or(bound, shr(32, bound))
                bound := or(and(or(bound, shr(16, bound)), 0x3fff), 1)
            }
        }
    }

    /// @dev The current 64 errors in mirrored order, for dot products, and what these are corrected by: the weights'
    /// bias, 2^31 in every lane so that none borrows from the next, and in the top lane the 2048 that rounds. `sum` has
    /// in lane n the errors of the eight words' lanes n. Its product with the bias in every lane is, lane by lane, what
    /// the bias contributes to the rows' products, in the partial sums of the lower lanes too. So each lane of
    /// CORRECTION + products is 2^31 + a sum of at most 64 weights times errors, |sum| <= 64 * 2^14 * 1023 < 2^30: it
    /// lies in its 32 bits, and the top lane is exact. Writes 256 bytes at ERRORS_REVERSED, and CORRECTION.
    function _reverse() private pure {
        assembly ("memory-safe") {
            let m := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            let m64 := 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
            let m32 := 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
            let lift := 0x0000400000004000000040000000400000004000000040000000400000004000
            let sum := 0
            let p := ERRORS_REVERSED
            for {
                let q := ERRORS
            } lt(q, add(ERRORS, 0x80)) {
                q := add(q, 0x20)
            } {
                // Lifted above zero, the lanes can be parted, and lowered again. Halves change places, then their
                // halves, down to 32 bits: eight pairs of lanes in reverse order.
                let v := add(mload(q), or(lift, shl(16, lift)))
                v := or(shr(128, v), shl(128, v))
                v := or(and(shr(64, v), m64), shl(64, and(v, m64)))
                v := or(and(shr(32, v), m32), shl(32, and(v, m32)))
                // A pair still has its even lane above its odd one; they go to words of their own.
                let part := sub(and(shr(16, v), m), lift)
                mstore(p, part)
                sum := add(sum, part)
                part := sub(and(v, m), lift)
                mstore(add(p, 0x20), part)
                sum := add(sum, part)
                p := add(p, 0x40)
            }
            mstore(
                CORRECTION,
                sub(
                    0x8000080080000000800000008000000080000000800000008000000080000000,
                    mul(0x0000c0000000c0000000c0000000c0000000c0000000c0000000c0000000c000, sum)
                )
            )
        }
    }

    /// @dev W4: rows of eight weights, the odd lanes in the low half of a word, the even ones in the high half, as in
    /// Forward._logits. Eight weights are one word of 32-bit lanes, so the update is wide at once and nothing is
    /// redone. Assumes LIST_3 and six output errors of this step, and zeros at NEXT_ERRORS; writes W4 and NEXT_ERRORS
    /// only. The store of row 0 also rewrites the last 16 bytes of W3, unchanged.
    function _outputLayer() private pure {
        assembly ("memory-safe") {
            /// As in _redo: functions of Yul are local to their block.
            function saturate(t) -> v {
                let ones := 0x0000000100000001000000010000000100000001000000010000000100000001
                let over := and(shr(16, t), ones)
                v := and(
                    or(t, sub(shl(16, over), over)),
                    0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                )
                let under := and(not(shr(15, v)), ones)
                v := or(and(v, not(sub(shl(16, under), under))), shl(15, under))
            }
            // Errors k = 0 to 5 in the lanes of the row, and mirrored: k lies at 224, 96, 192, 64, 160, 32, and at 224
            // less that. Lanes 128 and 0, the padding logits', stay 0, so their weights never change.
            let e := mload(OUTPUT_ERRORS)
            let errors := shl(224, e)
            let reversed := e
            e := mload(add(OUTPUT_ERRORS, 0x20))
            errors := add(errors, shl(96, e))
            reversed := add(reversed, shl(128, e))
            e := mload(add(OUTPUT_ERRORS, 0x40))
            errors := add(errors, shl(192, e))
            reversed := add(reversed, shl(32, e))
            e := mload(add(OUTPUT_ERRORS, 0x60))
            errors := add(errors, shl(64, e))
            reversed := add(reversed, shl(160, e))
            e := mload(add(OUTPUT_ERRORS, 0x80))
            errors := add(errors, shl(160, e))
            reversed := add(reversed, shl(64, e))
            e := mload(add(OUTPUT_ERRORS, 0xa0))
            errors := add(errors, shl(32, e))
            reversed := add(reversed, shl(192, e))
            // As CORRECTION in _reverse, for one product: |sum| <= 8 * 2^14 * 1024 = 2^27.
            let correction := sub(
                0x8000080080000000800000008000000080000000800000008000000080000000,
                mul(0x0000c0000000c0000000c0000000c0000000c0000000c0000000c0000000c000, reversed)
            )
            let p := LIST_3
            for {
                let x := mload(p)
            } x {
                x := mload(p)
            } {
                p := add(p, 0x20)
                let a := and(x, 0x7f)
                let row := add(shr(11, x), sub(WEIGHTS_4, 0x20))
                let whole := mload(row)
                let w := or(
                    and(whole, 0x0000ffff0000ffff0000ffff0000ffff),
                    and(shl(112, whole), 0x0000ffff0000ffff0000ffff0000ffff00000000000000000000000000000000)
                )
                // The unit's error, from the old row. At 127 the activation is clipped: no error passes.
                if lt(a, 127) {
                    // Bits 12 and up of the top lane, less the 2^31: (sum + 2048) >> 12, rounded down and signed.
                    let q := sub(shr(236, add(mul(w, reversed), correction)), 0x80000)
                    if gt(add(q, 1023), 2046) {
                        q := sub(1023, mul(slt(q, 0), 2046))
                    }
                    if q {
                        // The entry is (128 * (unit + 1)) << 8 | a.
                        let unit := sub(shr(15, x), 1)
                        let lane := shl(4, and(unit, 15))
                        let next := add(NEXT_ERRORS, shl(5, shr(4, unit)))
                        mstore(next, add(mload(next), shl(sub(240, lane), q)))
                    }
                }
                w := sub(
                    add(w, mload(WIDE_LIFT)),
                    and(shr(mload(SHIFT), add(mul(a, errors), mload(WIDE_ROUND))), mload(WIDE_KEEP))
                )
                // A lane is below 2^17; in range, bit 16 is clear and bit 15 set.
                if xor(
                    and(w, 0x0001800000018000000180000001800000018000000180000001800000018000),
                    0x0000800000008000000080000000800000008000000080000000800000008000
                ) {
                    w := saturate(w)
                }
                // The upper half of the word is the row before, as it is by now.
                mstore(row, or(shl(128, shr(128, whole)), shr(128, or(shl(128, w), shl(16, w)))))
            }
        }
    }

    /// @dev For every active unit in `list`, whose rows of 64 weights start at `weights`: its own error, from the old
    /// weights, if it is not clipped; then the update of its row.
    /// Each of the four words is loaded once, for both. Writes the rows in the list and NEXT_ERRORS. Assumes what
    /// _advance leaves: errors in both orders, CORRECTION and LIMIT of these 64 errors, zeros at NEXT_ERRORS.
    function _hidden(uint256 list, uint256 weights) private pure {
        unchecked {
            for (uint256 x = _first(list); x != 0; x = _first(list)) {
                uint256 inexact;
                assembly ("memory-safe") {
                    let a := and(x, 0x7f)
                    let row := shr(8, x)
                    let m := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                    let shift := mload(SHIFT)
                    let round := mload(ROUND)
                    let lift := mload(LIFT)
                    let keep := mload(KEEP)

                    let w := mload(row)
                    let q := add(mload(CORRECTION), mul(and(w, m), mload(add(ERRORS_REVERSED, 0x20))))
                    q := add(q, mul(and(shr(16, w), m), mload(ERRORS_REVERSED)))
                    w := sub(add(w, lift), and(shr(shift, add(mul(mload(ERRORS), a), round)), keep))
                    mstore(row, w)
                    let guards := w
                    w := mload(add(row, 0x20))
                    q := add(q, mul(and(w, m), mload(add(ERRORS_REVERSED, 0x60))))
                    q := add(q, mul(and(shr(16, w), m), mload(add(ERRORS_REVERSED, 0x40))))
                    w := sub(add(w, lift), and(shr(shift, add(mul(mload(add(ERRORS, 0x20)), a), round)), keep))
                    mstore(add(row, 0x20), w)
                    guards := and(guards, w)

                    w := mload(add(row, 0x40))
                    q := add(q, mul(and(w, m), mload(add(ERRORS_REVERSED, 0xa0))))
                    q := add(q, mul(and(shr(16, w), m), mload(add(ERRORS_REVERSED, 0x80))))
                    w := sub(add(w, lift), and(shr(shift, add(mul(mload(add(ERRORS, 0x40)), a), round)), keep))
                    mstore(add(row, 0x40), w)
                    guards := and(guards, w)

                    w := mload(add(row, 0x60))
                    q := add(q, mul(and(w, m), mload(add(ERRORS_REVERSED, 0xe0))))
                    q := add(q, mul(and(shr(16, w), m), mload(add(ERRORS_REVERSED, 0xc0))))
                    w := sub(add(w, lift), and(shr(shift, add(mul(mload(add(ERRORS, 0x60)), a), round)), keep))
                    mstore(add(row, 0x60), w)
                    guards := and(guards, w)

                    // As in _outputLayer. Only now is the total what _reverse says of it; before, lanes may have
                    // borrowed.
                    q := sub(shr(236, q), 0x80000)
                    if gt(add(q, 1023), 2046) {
                        q := sub(1023, mul(slt(q, 0), 2046))
                    }
                    // 128 * unit: the word of 16 errors and the lane in it.
                    w := sub(row, weights)
                    if lt(a, 127) {
                        let next := add(NEXT_ERRORS, and(shr(6, w), 0xe0))
                        mstore(next, add(mload(next), shl(sub(240, and(shr(3, w), 240)), q)))
                    }
                    // Beyond LIMIT products may have met in their lanes, and the guard bits prove nothing.
                    inexact := or(
                        gt(a, mload(LIMIT)),
                        not(or(guards, 0x7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff))
                    )
                }
                // INVARIANT: no update leaves a guard bit clear, so the weights stay well-formed for the next step.
                if (inexact != 0) _redo(x >> 8, ERRORS, x & 0x7f);
                list += 0x20;
            }
        }
    }

    /// @dev Updates the 64 weights `offset` bytes into the row of every input by the 64 errors as far into ERRORS.
    /// `_hidden` without an error of its own. Writes the rows in the list.
    function _input(uint256 offset) private pure {
        unchecked {
            uint256 list = LIST_INPUT;
            uint256 errors = ERRORS + offset;
            for (uint256 x = _first(list); x != 0; x = _first(list)) {
                uint256 inexact;
                uint256 row = (x >> 8) + offset;
                assembly ("memory-safe") {
                    let a := and(x, 0x7f)
                    let shift := mload(SHIFT)
                    let round := mload(ROUND)
                    let lift := mload(LIFT)
                    let keep := mload(KEEP)
                    let t := sub(add(mload(row), lift), and(shr(shift, add(mul(mload(errors), a), round)), keep))
                    mstore(row, t)
                    let guards := t
                    t := sub(
                        add(mload(add(row, 0x20)), lift),
                        and(shr(shift, add(mul(mload(add(errors, 0x20)), a), round)), keep)
                    )
                    mstore(add(row, 0x20), t)
                    guards := and(guards, t)
                    t := sub(
                        add(mload(add(row, 0x40)), lift),
                        and(shr(shift, add(mul(mload(add(errors, 0x40)), a), round)), keep)
                    )
                    mstore(add(row, 0x40), t)
                    guards := and(guards, t)
                    t := sub(
                        add(mload(add(row, 0x60)), lift),
                        and(shr(shift, add(mul(mload(add(errors, 0x60)), a), round)), keep)
                    )
                    mstore(add(row, 0x60), t)
                    guards := and(guards, t)
                    inexact := or(
                        gt(a, mload(LIMIT)),
                        not(or(guards, 0x7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff))
                    )
                }
                if (inexact != 0) _redo(row, errors, x & 0x7f);
                list += 0x20;
            }
        }
    }

    /// @dev The entry of a list of active units; 0 at its end.
    function _first(uint256 list) private pure returns (uint256 x) {
        assembly ("memory-safe") {
            x := mload(list)
        }
    }

    /// @dev Takes an update of 64 weights back, which is exact modulo 2^256 whatever it overflowed, and makes it again
    /// in 32-bit lanes, where neither a product nor a weight can reach its neighbour, with saturation.
    ///
    /// Why first narrow and then again: most rows of a trained beast need no more, and whether a weight leaves its range
    /// is known only by then. Whoever makes up a state can have every row redone. That costs gas, which the gas report
    /// bounds ("costliest state"), and changes no result.
    ///
    /// Assumes that row and errors are those of the update and SHIFT, ROUND, LIFT and KEEP unchanged: the same words are
    /// computed a second time. |e| <= 1023 < 2^14, so the lift is enough. Writes 128 bytes from `row`.
    function _redo(uint256 row, uint256 errors, uint256 a) private pure {
        assembly ("memory-safe") {
            /// Clamps 32-bit lanes of weight + 0xC000 to 0x8000 ... 0xFFFF; each must be 0 to 2^17 - 1. Bit 16 means
            /// too large: (over << 16) - over is 0xFFFF in those lanes. Of the others, bit 15 clear means too small.
            function saturate(t) -> v {
                let ones := 0x0000000100000001000000010000000100000001000000010000000100000001
                let over := and(shr(16, t), ones)
                v := and(
                    or(t, sub(shl(16, over), over)),
                    0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                )
                let under := and(not(shr(15, v)), ones)
                v := or(and(v, not(sub(shl(16, under), under))), shl(15, under))
            }
            let m := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            let shift := mload(SHIFT)
            // The wide rounding, less what the lift of the errors above zero makes of a product: a * 2^14. Its lanes
            // are negative, but those of the sum with the product are what the wide update's bounds are about.
            let round := sub(
                mload(WIDE_ROUND),
                mul(0x0000400000004000000040000000400000004000000040000000400000004000, a)
            )
            for {
                let end := add(row, 0x80)
            } lt(row, end) {
                row := add(row, 0x20)
            } {
                let e := mload(errors)
                let w := sub(add(mload(row), and(shr(shift, add(mul(e, a), mload(ROUND))), mload(KEEP))), mload(LIFT))
                e := add(e, 0x4000400040004000400040004000400040004000400040004000400040004000)
                let odd := and(shr(shift, add(mul(a, and(e, m)), round)), mload(WIDE_KEEP))
                odd := saturate(sub(add(and(w, m), mload(WIDE_LIFT)), odd))
                let even := and(shr(shift, add(mul(a, and(shr(16, e), m)), round)), mload(WIDE_KEEP))
                even := saturate(sub(add(and(shr(16, w), m), mload(WIDE_LIFT)), even))
                mstore(row, or(odd, shl(16, even)))
                errors := add(errors, 0x20)
            }
        }
    }
}
