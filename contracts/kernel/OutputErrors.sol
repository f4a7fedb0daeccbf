// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EXP_TABLE, LOGITS, OUTPUT_ERRORS} from "./KernelMemory.sol";

/// @title The errors of the logits
/// @dev docs/spec, network §4, scale 2^-10: softmax cross-entropy for the move, squared error for the attack, binary
/// cross-entropy for the block.
library OutputErrors {
    /// @dev Writes six errors from the logits of the last forward pass and returns the sum of their absolute values;
    /// `move` 4 means no move label. Needs the tables in memory; writes OUTPUT_ERRORS only.
    /// Bounds: logits are within 32,512 (Forward._logits) and attack is at most 15, so nothing here comes near 2^256.
    /// The quotients u * 1024 // sum of the move head add up to at most 1024, so its errors to at most 2048; attack
    /// adds at most 1023 and block at most 1024: 4095, what a null step costs. No error exceeds 1024, which Backward
    /// relies on.
    function compute(uint256 heads, uint256 move, uint256 attack, uint256 guard) internal pure returns (uint256 loss) {
        assembly ("memory-safe") {
            /// exp(-d / 32) in 1 / 32767, zero beyond the table; d is not negative, being a maximum less one of its
            /// terms. The entry is the last two bytes of the word read, which for d < 15 begins among the logits.
            function ex(d) -> u {
                if lt(d, 256) {
                    u := and(mload(add(sub(EXP_TABLE, 30), shl(1, d))), 0xffff)
                }
            }
            function larger(a, b) -> c {
                c := a
                if sgt(b, a) {
                    c := b
                }
            }
            function put(k, e) -> absolute {
                mstore(add(OUTPUT_ERRORS, k), e)
                let sign := sar(255, e)
                absolute := sub(xor(e, sign), sign)
            }
            function logit(k) -> z {
                z := mload(add(LOGITS, k))
            }
            // Zeros, from beyond the calldata: a head that does not learn has errors 0.
            calldatacopy(OUTPUT_ERRORS, calldatasize(), 0xc0)
            if and(and(heads, 1), lt(move, 4)) {
                let top := larger(larger(logit(0), logit(0x20)), larger(logit(0x40), logit(0x60)))
                let u0 := ex(sub(top, logit(0)))
                let u1 := ex(sub(top, logit(0x20)))
                let u2 := ex(sub(top, logit(0x40)))
                let u3 := ex(sub(top, logit(0x60)))
                // At least ex(0) = 32767, of the greatest: the EVM's division by zero, which gives 0, never happens.
                let sum := add(add(u0, u1), add(u2, u3))
                loss := put(0, sub(div(shl(10, u0), sum), shl(10, eq(move, 0))))
                loss := add(loss, put(0x20, sub(div(shl(10, u1), sum), shl(10, eq(move, 1)))))
                loss := add(loss, put(0x40, sub(div(shl(10, u2), sum), shl(10, eq(move, 2)))))
                loss := add(loss, put(0x60, sub(div(shl(10, u3), sum), shl(10, eq(move, 3)))))
            }
            if and(heads, 2) {
                let e := shl(6, sub(logit(0x80), shl(2, attack)))
                if sgt(e, 1023) {
                    e := 1023
                }
                // not(1022) is -1023.
                if slt(e, not(1022)) {
                    e := not(1022)
                }
                loss := add(loss, put(0x80, e))
            }
            if and(heads, 4) {
                // One of the two exponentials is ex(0), so this sum is not 0 either.
                let top := larger(logit(0xa0), 0)
                let yes := ex(sub(top, logit(0xa0)))
                loss := add(loss, put(0xa0, sub(div(shl(10, yes), add(yes, ex(top))), shl(10, guard))))
            }
        }
    }
}
