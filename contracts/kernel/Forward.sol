// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    ACCUMULATORS,
    LIST_1,
    LIST_2,
    LIST_3,
    LIST_INPUT,
    LOGITS,
    SUMS,
    WEIGHTS_2,
    WEIGHTS_3,
    WEIGHTS_4
} from "./KernelMemory.sol";

/// @title The forward pass
/// @dev docs/spec, network §3. Lanes: KernelMemory. The odd and the even lanes of a word are summed apart, as eight
/// 32-bit lanes each: two multiplications for 16 products. The bias is taken out once per word at the end. Only active
/// units are visited. Each layer leaves the list of its own, for the layer after it and for Backward. The lists and
/// logits must be those of the weights that Backward is about to change, so nothing changes these in between.
///
/// Bounds. A layer has at most 128 source units, an activation is at most 127 and a stored weight at most 0xFFFF:
///
///   sum of activations         A <= 128 * 127               =        16,256
///   sum with the bias            <= 16,256 * 65,535         = 1,065,336,960   < 2^30    no carry into the next lane
///   the bias in it               =  A * 0xC000              <=  799,014,912   < 2^30
///   without it               |z| <= 16,256 * 2^14           =   266,338,304   < 2^28    z + 2^31 fits an unsigned lane
///
/// The last needs the guard bits (StateHash.load), the others hold for any bytes.
library Forward {
    /// @dev Runs all layers on the inputs listed at LIST_INPUT; lists, sums and logits are left in memory.
    function run(uint256 activeMask) internal pure {
        _sumInputs();
        uint256 end = LIST_1;
        // W1 has 128 columns, and one pass sums 64: a pass per two sensor slots, left out if both sleep. Both passes
        // append to one list, and the sum of a1 grows over both.
        for (uint256 half = 0; half < 2; ++half) {
            uint256 slots = (activeMask >> (2 * half)) & 3;
            if (slots == 0) continue;
            // A sensor slot is two words of a row of W1.
            uint256 awake = (slots & 1) * 3 + (slots >> 1) * 12;
            _accumulate(LIST_INPUT, half << 7);
            end = _collect(SUMS, awake, end, (WEIGHTS_2 + (half << 13)) << 8);
        }
        _accumulate(LIST_1, 0);
        _collect(SUMS + 0x20, 15, LIST_2, WEIGHTS_3 << 8);
        _accumulate(LIST_2, 0);
        // Rows of W4 are 16 bytes: its list counts 128 bytes a row like the others, and from 128; `_logits` scales it.
        // activeMask has 8 bits (ABI decoding), so no more than the four words there are is awake.
        _collect(SUMS + 0x40, activeMask >> 4, LIST_3, 0x8000);
        _logits();
    }

    /// @dev Sums the inputs and clears the other layers' sums and a1's list, which hold the step before.
    function _sumInputs() private pure {
        assembly ("memory-safe") {
            // At most 32 inputs of 7 bits.
            let sum := 0
            let p := LIST_INPUT
            for {
                let x := mload(p)
            } x {
                x := mload(p)
            } {
                sum := add(sum, and(x, 0x7f))
                p := add(p, 0x20)
            }
            mstore(SUMS, sum)
            mstore(add(SUMS, 0x20), 0)
            mstore(add(SUMS, 0x40), 0)
            mstore(add(SUMS, 0x60), 0)
            // Without an awake sensor slot nothing else ends this list.
            mstore(LIST_1, 0)
        }
    }

    /// @dev Sums, into the eight words at ACCUMULATORS, 64 weights of every unit in `list` times its activation,
    /// `offset` bytes into each row: for each word first the odd lanes, then the even ones.
    /// The even lanes' sum is taken from the word shifted but not masked, which saves an AND per word and row: it then
    /// holds, besides, every odd lane 16 bits above an even one. As integers, even = (true even sums) + ((odd >> 32) <<
    /// 16), and nothing is lost at the top: 16,256 * 2^240 < 2^254. `_collect` subtracts it once. Writes ACCUMULATORS
    /// only. Rows come from `list`, so `offset` + 128 bytes must lie within a row.
    function _accumulate(uint256 list, uint256 offset) private pure {
        assembly ("memory-safe") {
            let odd0, even0, odd1, even1, odd2, even2, odd3, even3
            for {
                let x := mload(list)
            } x {
                x := mload(list)
            } {
                list := add(list, 0x20)
                let a := and(x, 0x7f)
                x := add(shr(8, x), offset)
                let w := mload(x)
                odd0 := add(odd0, mul(and(w, 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff), a))
                even0 := add(even0, mul(shr(16, w), a))
                w := mload(add(x, 0x20))
                odd1 := add(odd1, mul(and(w, 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff), a))
                even1 := add(even1, mul(shr(16, w), a))
                w := mload(add(x, 0x40))
                odd2 := add(odd2, mul(and(w, 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff), a))
                even2 := add(even2, mul(shr(16, w), a))
                w := mload(add(x, 0x60))
                odd3 := add(odd3, mul(and(w, 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff), a))
                even3 := add(even3, mul(shr(16, w), a))
            }
            mstore(ACCUMULATORS, odd0)
            mstore(add(ACCUMULATORS, 0x20), even0)
            mstore(add(ACCUMULATORS, 0x40), odd1)
            mstore(add(ACCUMULATORS, 0x60), even1)
            mstore(add(ACCUMULATORS, 0x80), odd2)
            mstore(add(ACCUMULATORS, 0xa0), even2)
            mstore(add(ACCUMULATORS, 0xc0), odd3)
            mstore(add(ACCUMULATORS, 0xe0), even3)
        }
    }

    /// @dev Turns the accumulated sums into activations and appends the units that become active to `out`. `sum` is
    /// where the inputs' sum of activations is; the word after it takes that of `out`. Bit g of `awake`, g = 0 to 3,
    /// says whether units 16g to 16g + 15 are awake; `row` is the first unit's entry. A unit asleep never enters a
    /// list, so it adds to no sum, has no error, and its weights stay as they are. Writes at most 64 entries and the
    /// end, and the word after `sum`.
    function _collect(uint256 sum, uint256 awake, uint256 out, uint256 row) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            /// Eight activations, in 32-bit lanes, from eight sums + 2^31: clamp(sum >> 12, 0, 127).
            function clip(t) -> v {
                let ones := 0x0000000100000001000000010000000100000001000000010000000100000001
                // Bit 31 is set where the sum is not negative. (m << 32) - m spreads it over its lane; what the top
                // lane shifts out is 2^256, so nothing.
                let m := and(shr(31, t), ones)
                // Bits 0 to 18 after the shift: bit 19 is the 2^31, those above it come from the next lane.
                m := and(sub(shl(32, m), m), 0x0007ffff0007ffff0007ffff0007ffff0007ffff0007ffff0007ffff0007ffff)
                v := and(shr(12, t), m)
                // Adding 2^31 - 128 sets bit 31 from 128 on. v < 2^19, so no lane carries.
                let over := and(
                    shr(31, add(v, 0x7fffff807fffff807fffff807fffff807fffff807fffff807fffff807fffff80)),
                    ones
                )
                v := or(
                    and(v, 0x0000007f0000007f0000007f0000007f0000007f0000007f0000007f0000007f),
                    sub(shl(7, over), over)
                )
            }
            // 2^31 - 0xC000 * (sum of activations) in every lane: positive, since the second is below 2^30, and one
            // MUL.
            let bias := mul(
                sub(0x80000000, mul(0xc000, mload(sum))),
                0x0000000100000001000000010000000100000001000000010000000100000001
            )
            let total := mload(add(sum, 0x20))
            end := out
            for {
                let p := ACCUMULATORS
            } awake {
                p := add(p, 0x40)
            } {
                if and(awake, 1) {
                    let odd := mload(p)
                    // The even lanes' sum also holds the odd ones, 16 bits up (_accumulate).
                    let even := add(sub(mload(add(p, 0x20)), shl(16, shr(32, odd))), bias)
                    // 16 activations in the weights' lane order, for clip leaves the high half of a lane empty.
                    let v := or(clip(add(odd, bias)), shl(16, clip(even)))
                    // The top lane of v * (1 in every lane) is the sum of its lanes: 16 * 127 at most, so none carries.
                    total := add(
                        total,
                        shr(240, mul(v, 0x0001000100010001000100010001000100010001000100010001000100010001))
                    )
                    // One turn per active unit, from the top lane down. For lane i `place` is 16 * i; its row lies 128
                    // * i bytes further, and an entry has the address from bit 8 on: 8 * 256 * place.
                    for {} v {} {
                        let place := and(clz(v), 0xf0)
                        let lane := sub(240, place)
                        let a := and(shr(lane, v), 0x7f)
                        mstore(end, or(add(row, shl(11, place)), a))
                        end := add(end, 0x20)
                        v := xor(v, shl(lane, a))
                    }
                }
                awake := shr(1, awake)
                row := add(row, 0x80000)
            }
            mstore(add(sum, 0x20), total)
            mstore(end, 0)
        }
    }

    /// @dev The last layer: rows of eight weights, no clipping. Odd lanes go to the low half of a word, even ones to
    /// the high half, so one multiplication serves a row:
    ///
    ///   | 0 k0 | 0 k2 | 0 k4 | 0 k6 | 0 k1 | 0 k3 | 0 k5 | 0 k7 |        32-bit lanes, from bit 255 down
    ///
    /// At most 64 units are summed, so |z| before the shift is at most 64 * 127 * 2^14 < 2^27, and a logit is within
    /// 32,512. Backward packs the output errors in the same order. Writes LOGITS only.
    function _logits() private pure {
        assembly ("memory-safe") {
            let acc := 0
            let p := LIST_3
            for {
                let x := mload(p)
            } x {
                x := mload(p)
            } {
                p := add(p, 0x20)
                // The row's 16 bytes are the low half of the word that starts 16 bytes before them. An entry is
                // (128 * (unit + 1)) << 8 | a, so a shift by 11 makes it 16 * (unit + 1). Row 0 also reads the end of
                // W3.
                let w := mload(add(shr(11, x), sub(WEIGHTS_4, 0x20)))
                w := or(
                    and(w, 0x0000ffff0000ffff0000ffff0000ffff),
                    and(shl(112, w), 0x0000ffff0000ffff0000ffff0000ffff00000000000000000000000000000000)
                )
                acc := add(acc, mul(w, and(x, 0x7f)))
            }
            acc := add(
                acc,
                mul(
                    sub(0x80000000, mul(0xc000, mload(add(SUMS, 0x60)))),
                    0x0000000100000001000000010000000100000001000000010000000100000001
                )
            )
            p := LOGITS
            // A lane is z + 2^31: its upper 20 bits are (z >> 12) + 2^19, rounded down as the spec has it.
            for {
                let shift := 236
            } gt(shift, 128) {
                shift := sub(shift, 32)
            } {
                mstore(p, sub(and(shr(shift, acc), 0xfffff), 0x80000))
                mstore(add(p, 0x20), sub(and(shr(sub(shift, 128), acc), 0xfffff), 0x80000))
                p := add(p, 0x40)
            }
        }
    }
}
