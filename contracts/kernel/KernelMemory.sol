// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {KernelTables} from "./KernelTables.sol";

// The kernel's memory map. Its inner loops address memory absolutely, which is cheaper than pointers; `reserve` claims
// the whole region from Solidity's allocator once per call, so nothing else ever lives there.

/// @dev Errors of the layer being trained. NATURAL: 16 signed lanes a word, in the weights' lane order (update).
/// REVERSED: for every 16 units two words of eight 32-bit lanes in mirrored order, first the even units' (dot product).
uint256 constant ERRORS = 0x0800;
uint256 constant ERRORS_REVERSED = 0x0900;
/// @dev Errors of the layer before it, filled while the current one is trained; 16 lanes a word.
uint256 constant NEXT_ERRORS = 0x0a00;
/// @dev Six output errors, one signed word each.
uint256 constant OUTPUT_ERRORS = 0x0c00;
/// @dev Constants of the learning-rate shift S: S, then 2^15 + 2^(S-1), 2^15 >> S and 0xffff >> S in all 16 lanes.
uint256 constant SHIFT = 0x0d00;
uint256 constant ROUND = 0x0d20;
uint256 constant LIFT = 0x0d40;
uint256 constant KEEP = 0x0d60;
/// @dev The same for 32-bit lanes, with four times the room: 2^17 + 2^(S-1), 2^17 >> S and 0x7ffff >> S.
uint256 constant WIDE_ROUND = 0x0d80;
uint256 constant WIDE_LIFT = 0x0da0;
uint256 constant WIDE_KEEP = 0x0dc0;
/// @dev The largest activation whose products with the current layer's errors fit 16 lanes.
uint256 constant LIMIT = 0x0de0;
/// @dev Sums of the activations of the input, a1, a2 and a3.
uint256 constant SUMS = 0x0e00;
/// @dev What the dot products of the current layer are corrected by.
uint256 constant CORRECTION = 0x0ea0;
/// @dev Sums of 64 units: for each 16 units a word of odd lanes, then one of even lanes.
uint256 constant ACCUMULATORS = 0x0f00;

/// @dev Lists of active units, ended by 0, one word each: (address of the unit's weight row) << 8 | activation.
uint256 constant LIST_INPUT = 0x1000;
uint256 constant LIST_1 = 0x1420;
uint256 constant LIST_2 = 0x2440;
uint256 constant LIST_3 = 0x2c60;

/// @dev Boards waiting behind hazards in the label's flood.
uint256 constant QUEUE = 0x3500;
/// @dev Eight logits of the last forward pass, one signed word each.
uint256 constant LOGITS = 0x3d00;
/// @dev 256 big-endian uint16, then 64 times walls and hazards as big-endian uint64.
uint256 constant EXP_TABLE = 0x3e00;
uint256 constant TEMPLATE_TABLE = 0x4000;
/// @dev Preimages of Merkle nodes.
uint256 constant HASH_INPUT = 0x4400;

/// @dev The weights as they are serialised: 16 lanes of `w + 0xC000` a word.
uint256 constant WEIGHTS = 0x4500;
uint256 constant WEIGHTS_1 = 0x4500;
uint256 constant WEIGHTS_2 = 0x6500;
uint256 constant WEIGHTS_3 = 0xa500;
uint256 constant WEIGHTS_4 = 0xc500;
uint256 constant WEIGHTS_BYTES = 0x8400;
uint256 constant MEMORY_END = 0xc900;

/// @title Claims the kernel's memory
library KernelMemory {
    /// @dev Something was allocated where the kernel works; only a change of the code could cause it.
    error MemoryInUse(uint256 freePointer);

    /// @dev Must run first in every external function that uses the kernel.
    function reserve() internal pure {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
            mstore(0x40, MEMORY_END)
        }
        // INVARIANT: nothing allocated before this call overlaps the map.
        if (free > ERRORS) revert MemoryInUse(free);
    }

    /// @dev Copies the two tables to their places.
    function loadTables() internal pure {
        bytes memory exponentials = KernelTables.EXP;
        bytes memory templates = KernelTables.TEMPLATES;
        assembly ("memory-safe") {
            mcopy(EXP_TABLE, add(exponentials, 0x20), 0x200)
            mcopy(TEMPLATE_TABLE, add(templates, 0x20), 0x400)
        }
    }
}
