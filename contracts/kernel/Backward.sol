// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    BOUND,
    ERRORS,
    ERRORS_REVERSED,
    LIST_1,
    LIST_2,
    LIST_3,
    LIST_INPUT,
    NEXT_BOUND,
    NEXT_ERRORS,
    NEXT_REVERSED,
    OUTPUT_ERRORS,
    RATE,
    WEIGHTS_2,
    WEIGHTS_3,
    WEIGHTS_4
} from "./KernelMemory.sol";

/// @title The backward pass and the update
/// @dev docs/spec, network §4. Errors are packed as signed lanes of one integer. The dot product of a row of weights with
/// them is the top lane of a product of packed integers, when the errors stand in reversed order. The update subtracts
/// rounded deltas from 16 lanes at once. Where that could be wrong, because a product may leave 16 bits or because a
/// weight has left its 15 bits and so cleared its guard bit, the row is done in 32-bit lanes with saturation instead.
library Backward {
    /// @dev Fixes the learning-rate shift for the steps that follow.
    function setRate(uint256 shift) internal pure {
        assembly ("memory-safe") {
            let ones := 0x0001000100010001000100010001000100010001000100010001000100010001
            mstore(RATE, shift)
            mstore(add(RATE, 0x20), mul(ones, add(0x8000, shl(sub(shift, 1), 1))))
            mstore(add(RATE, 0x40), mul(ones, shr(shift, 0x8000)))
            mstore(add(RATE, 0x60), mul(ones, shr(shift, 0xffff)))
        }
    }

    /// @dev Carries the output errors down through all layers of the last forward pass and updates every weight. Where a
    /// layer's errors are all zero, nothing below it can change.
    function run() internal pure {
        _clearNext();
        _outputLayer();
        if (!_advance()) return;
        _carry(LIST_2, WEIGHTS_3);
        _update(LIST_2, 0, ERRORS);
        if (!_advance()) return;
        _carry(LIST_1, WEIGHTS_2);
        _update(LIST_1, 0, ERRORS);
        if (!_advance()) return;
        _update(LIST_INPUT, 0, ERRORS);
        _update(LIST_INPUT, 0x80, ERRORS + 0x80);
    }

    function _clearNext() private pure {
        assembly ("memory-safe") {
            calldatacopy(NEXT_ERRORS, calldatasize(), 0x200)
            mstore(NEXT_BOUND, 0)
        }
    }

    /// @dev Makes the carried errors the current ones; false if they are all zero.
    function _advance() private pure returns (bool any) {
        assembly ("memory-safe") {
            any := mload(NEXT_BOUND)
            mstore(BOUND, any)
            if any {
                mcopy(ERRORS, NEXT_ERRORS, 0x100)
                // Signed 16-bit lanes to signed 32-bit lanes: lift them above zero, part them, lower them.
                let m := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                let lift := 0x0000400000004000000040000000400000004000000040000000400000004000
                let p := ERRORS_REVERSED
                for { let q := NEXT_REVERSED } lt(q, add(NEXT_REVERSED, 0x80)) { q := add(q, 0x20) } {
                    let v := add(mload(q), or(lift, shl(16, lift)))
                    mstore(p, sub(and(v, m), lift))
                    mstore(add(p, 0x20), sub(and(shr(16, v), m), lift))
                    p := add(p, 0x40)
                }
            }
            any := iszero(iszero(any))
        }
    }

    /// @dev W4: rows of eight weights, the odd lanes in the low half of a word, the even ones in the high half.
    function _outputLayer() private pure {
        assembly ("memory-safe") {
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
            let ones := 0x0000000100000001000000010000000100000001000000010000000100000001
            let errors := 0
            let reversed := 0
            for { let k := 0 } lt(k, 6) { k := add(k, 1) } {
                let e := mload(add(OUTPUT_ERRORS, shl(5, k)))
                let lane := sub(shl(7, iszero(and(k, 1))), shl(5, shr(1, k)))
                lane := add(lane, 96)
                errors := add(errors, shl(lane, e))
                reversed := add(reversed, shl(sub(224, lane), e))
            }
            let correction := sub(
                0x8000080080000000800000008000000080000000800000008000000080000000,
                mul(mul(0xc000, ones), reversed)
            )
            let shift := mload(RATE)
            let round := mul(ones, add(0x20000, shl(sub(shift, 1), 1)))
            let p := LIST_3
            for { let x := mload(p) } x { x := mload(p) } {
                p := add(p, 0x20)
                let a := and(x, 0x7f)
                let row := add(shr(11, x), sub(WEIGHTS_4, 0x20))
                let whole := mload(row)
                let w := or(
                    and(whole, 0x0000ffff0000ffff0000ffff0000ffff),
                    and(shl(112, whole), 0x0000ffff0000ffff0000ffff0000ffff00000000000000000000000000000000)
                )
                if lt(a, 127) {
                    let q := sub(shr(236, add(mul(w, reversed), correction)), 0x80000)
                    if gt(add(q, 1023), 2046) { q := sub(1023, mul(slt(q, 0), 2046)) }
                    if q {
                        let unit := sub(shr(15, x), 1)
                        let lane := shl(4, and(unit, 15))
                        let next := add(NEXT_ERRORS, shl(5, shr(4, unit)))
                        mstore(next, add(mload(next), shl(sub(240, lane), q)))
                        next := add(next, sub(NEXT_REVERSED, NEXT_ERRORS))
                        mstore(next, add(mload(next), shl(lane, q)))
                        mstore(NEXT_BOUND, or(mload(NEXT_BOUND), or(xor(q, sar(255, q)), 1)))
                    }
                }
                w := sub(
                    add(w, mul(ones, shr(shift, 0x20000))),
                    and(shr(shift, add(mul(a, errors), round)), mul(ones, shr(shift, 0x7ffff)))
                )
                if xor(and(w, mul(ones, 0x18000)), shl(15, ones)) { w := saturate(w) }
                w := and(or(w, shr(112, w)), sub(shl(128, 1), 1))
                mstore(row, or(and(whole, not(sub(shl(128, 1), 1))), w))
            }
        }
    }

    /// @dev The errors of the active, unclipped units in `list`, whose rows of 64 weights start at `weights`. The sum of
    /// products needs the weights' bias taken out, and 2^31 in every lane so that none borrows from the top one.
    function _carry(uint256 list, uint256 weights) private pure {
        assembly ("memory-safe") {
            calldatacopy(NEXT_ERRORS, calldatasize(), 0x200)
            let bound := 0
            let correction := 0
            for { let p := ERRORS_REVERSED } lt(p, add(ERRORS_REVERSED, 0x100)) { p := add(p, 0x20) } {
                correction := add(correction, mload(p))
            }
            correction := sub(
                0x8000080080000000800000008000000080000000800000008000000080000000,
                mul(0x0000c0000000c0000000c0000000c0000000c0000000c0000000c0000000c000, correction)
            )
            let m := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
            for { let x := mload(list) } x { x := mload(list) } {
                list := add(list, 0x20)
                if eq(and(x, 0x7f), 127) { continue }
                x := shr(8, x)
                let w := mload(x)
                let q := add(correction, mul(and(w, m), mload(add(ERRORS_REVERSED, 0x20))))
                q := add(q, mul(and(shr(16, w), m), mload(ERRORS_REVERSED)))
                w := mload(add(x, 0x20))
                q := add(q, mul(and(w, m), mload(add(ERRORS_REVERSED, 0x60))))
                q := add(q, mul(and(shr(16, w), m), mload(add(ERRORS_REVERSED, 0x40))))
                w := mload(add(x, 0x40))
                q := add(q, mul(and(w, m), mload(add(ERRORS_REVERSED, 0xa0))))
                q := add(q, mul(and(shr(16, w), m), mload(add(ERRORS_REVERSED, 0x80))))
                w := mload(add(x, 0x60))
                q := add(q, mul(and(w, m), mload(add(ERRORS_REVERSED, 0xe0))))
                q := add(q, mul(and(shr(16, w), m), mload(add(ERRORS_REVERSED, 0xc0))))
                q := sub(shr(236, q), 0x80000)
                if iszero(q) { continue }
                if gt(add(q, 1023), 2046) { q := sub(1023, mul(slt(q, 0), 2046)) }
                bound := or(bound, or(xor(q, sar(255, q)), 1))
                let unit := shr(7, sub(x, weights))
                let lane := shl(4, and(unit, 15))
                unit := add(NEXT_ERRORS, shl(5, shr(4, unit)))
                mstore(unit, add(mload(unit), shl(sub(240, lane), q)))
                unit := add(unit, sub(NEXT_REVERSED, NEXT_ERRORS))
                mstore(unit, add(mload(unit), shl(lane, q)))
            }
            mstore(NEXT_BOUND, bound)
        }
    }

    /// @dev Updates 64 weights, `offset` bytes into its row, of every unit in `list` by the 64 errors at `errors`.
    function _update(uint256 list, uint256 offset, uint256 errors) private pure {
        assembly ("memory-safe") {
            /// Clamps 32-bit lanes of weight + 0xC000 to 0x8000 ... 0xFFFF.
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
            /// Eight weights (32-bit lanes) minus their deltas; `d` holds errors + 0x4000.
            function moved(w, d, a) -> v {
                let ones := 0x0000000100000001000000010000000100000001000000010000000100000001
                let s := mload(RATE)
                // 2^17 and the rounding, less the lift of the errors
                let round := mul(ones, sub(add(0x20000, shl(sub(s, 1), 1)), shl(14, a)))
                let delta := and(shr(s, add(mul(a, d), round)), mul(ones, shr(s, 0x7ffff)))
                v := saturate(sub(add(w, mul(ones, shr(s, 0x20000))), delta))
            }
            /// The row in 32-bit lanes, where neither a product nor a weight can reach its neighbour.
            function wide(row, e, a) {
                let m := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                for { let end := add(row, 0x80) } lt(row, end) { row := add(row, 0x20) } {
                    let w := mload(row)
                    let d := add(mload(e), 0x4000400040004000400040004000400040004000400040004000400040004000)
                    let even := moved(and(shr(16, w), m), and(shr(16, d), m), a)
                    mstore(row, or(moved(and(w, m), and(d, m), a), shl(16, even)))
                    e := add(e, 0x20)
                }
            }
            if or(
                or(mload(errors), mload(add(errors, 0x20))),
                or(mload(add(errors, 0x40)), mload(add(errors, 0x60)))
            ) {
                let shift := mload(RATE)
                let round := mload(add(RATE, 0x20))
                let lift := mload(add(RATE, 0x40))
                let mask := mload(add(RATE, 0x60))
                for { let x := mload(list) } x { x := mload(list) } {
                    list := add(list, 0x20)
                    let a := and(x, 0x7f)
                    let row := add(shr(8, x), offset)
                    // Do all products and the rounding fit 16 bits?
                    if gt(add(mul(a, add(mload(BOUND), 1)), shr(1, shl(shift, 1))), 0x8000) {
                        wide(row, errors, a)
                        continue
                    }
                    let t0 := sub(
                        add(mload(row), lift),
                        and(shr(shift, add(mul(mload(errors), a), round)), mask)
                    )
                    let t1 := sub(
                        add(mload(add(row, 0x20)), lift),
                        and(shr(shift, add(mul(mload(add(errors, 0x20)), a), round)), mask)
                    )
                    let t2 := sub(
                        add(mload(add(row, 0x40)), lift),
                        and(shr(shift, add(mul(mload(add(errors, 0x40)), a), round)), mask)
                    )
                    let t3 := sub(
                        add(mload(add(row, 0x60)), lift),
                        and(shr(shift, add(mul(mload(add(errors, 0x60)), a), round)), mask)
                    )
                    if not(
                        or(
                            and(and(t0, t1), and(t2, t3)),
                            0x7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff7fff
                        )
                    ) {
                        wide(row, errors, a)
                        continue
                    }
                    mstore(row, t0)
                    mstore(add(row, 0x20), t1)
                    mstore(add(row, 0x40), t2)
                    mstore(add(row, 0x60), t3)
                }
            }
        }
    }
}
