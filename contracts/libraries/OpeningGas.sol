// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Records} from "./Records.sol";

/// @title What openings are paid as, in gas
/// @dev A bond asks for the most that openings can cost, a trainer is paid for what they did: else who opens little would
/// earn by being disputed. Most of it is calldata at 40 gas a byte, 10 a zero byte (EIP-7623). docs/gas-report.md holds
/// the constants against what the openings really take.
library OpeningGas {
    /// @dev With the call that ends a dispute in which nothing was proved, since it is the trainer who needs that end.
    uint256 internal constant SEGMENTS = 325_000;
    /// @dev A state without a zero byte.
    uint256 internal constant STATE = STATE_FIXED + 33_792 * BYTE;
    /// @dev The transaction, its bookkeeping and everything else of fixed size; and what hashing the weights' tree executes
    /// beyond the price of a state with as many zero bytes as one can have.
    uint256 private constant STATE_FIXED = 203_000;
    uint256 private constant RECORDS_FIXED = 450_000;
    /// @dev 32 bytes of calldata and of the event, and a step up the tree.
    uint256 private constant HASH = 1_300;
    uint256 private constant BYTE = 40;
    uint256 private constant ZERO_BYTE = 10;
    uint256 private constant STEPS = 128;
    /// @dev Levels above which a window's records share no more nodes.
    uint256 private constant WINDOW_LEVELS = 7;

    /// @notice The most that the openings of a mask (bit 1 << Opening) can cost.
    /// @param length of the dataset; unread unless records are owed
    function owed(uint256 missing, uint256 length) internal pure returns (uint256 gasOwed) {
        if (missing & 1 != 0) gasOwed += SEGMENTS;
        if (missing & 2 != 0) gasOwed += STATE;
        if (missing & 4 != 0) {
            uint256 levels = Records.depth(length);
            gasOwed += ofRecords(STEPS, levels > WINDOW_LEVELS ? STEPS * (levels - WINDOW_LEVELS) : STEPS);
        }
    }

    /// @notice What publishing distinct records with the siblings of their multiproof costs.
    function ofRecords(uint256 words, uint256 siblings) internal pure returns (uint256) {
        return RECORDS_FIXED + HASH * (words + siblings);
    }

    /// @notice What publishing a state costs.
    function ofState(bytes calldata weights) internal pure returns (uint256) {
        uint256 nonzero = _nonzero(weights);
        return STATE_FIXED + BYTE * nonzero + ZERO_BYTE * (weights.length - nonzero);
    }

    /// @notice Publish from an account without code, by a transaction of its own: anybody may.
    error NotPlainAccount(address sender);

    /// @notice Refuses an opening that is not the calldata of its own transaction.
    /// @dev A contract can build an opening in memory, without the calldata that most of the gas is for: a state of null steps,
    /// say, whose weights follow from the DNA. Paid in full, being disputed would be a trade; paid in part, a copy by a
    /// contract would cost the trainer whose opening it is. What is copied by an account is paid to the trainer all the same.
    function requirePlain() internal view {
        // solhint-disable-next-line avoid-tx-origin
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotPlainAccount(msg.sender);
    }

    /// @notice Wei that a gas of an opening in this transaction is paid. A tip beyond a quarter of the base fee is the
    /// sender's own affair: it could flow back to it.
    function price() internal view returns (uint256) {
        // A call that no transaction carries has no price.
        uint256 tip = tx.gasprice > block.basefee ? tx.gasprice - block.basefee : 0;
        return block.basefee + (tip < block.basefee / 4 ? tip : block.basefee / 4);
    }

    /// @dev Bytes that are not zero: folded onto each byte's lowest bit, which are then added up. `data` is a multiple of 32
    /// bytes, as the referee has checked.
    function _nonzero(bytes calldata data) private pure returns (uint256 count) {
        assembly ("memory-safe") {
            let ones := 0x0101010101010101010101010101010101010101010101010101010101010101
            let end := add(data.offset, data.length)
            for {
                let cursor := data.offset
            } lt(cursor, end) {
                cursor := add(cursor, 0x20)
            } {
                let x := calldataload(cursor)
                x := or(x, shr(4, and(x, 0xf0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0)))
                x := or(x, shr(2, and(x, 0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c)))
                x := and(or(x, shr(1, x)), ones)
                // 32 bytes of 0 or 1: their sum, at most 32, comes to stand in the top byte.
                count := add(count, shr(248, mul(x, ones)))
            }
        }
    }
}
