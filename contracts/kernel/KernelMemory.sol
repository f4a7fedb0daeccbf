// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {KernelTables} from "./KernelTables.sol";

// How the kernel packs numbers into words, and where in memory they lie. The other files of this folder rest on this
// one.
//
// WEIGHTS. 16 lanes of 16 bits a word, as they are serialised: memory is big-endian, so the first of 16 weights is the
// most significant lane, and unit u of a layer is lane u mod 16 of its word.
//
//    255     240 239     224 223     208             47      32 31      16 15       0
//   +-----------+-----------+-----------+-- ... ----+-----------+-----------+-----------+
//   |  lane 0   |  lane 1   |  lane 2   |           |  lane 13  |  lane 14  |  lane 15  |
//   |   even    |    odd    |   even    |           |    odd    |   even    |    odd    |
//   +-----------+-----------+-----------+-- ... ----+-----------+-----------+-----------+
//
// A lane holds w + 0xC000 = 2^15 + (w + 2^14), for a weight w of -2^14 to 2^14 - 1:
//
//     15  14                          0
//   +---+------------------------------+
//   | 1 |           w + 2^14           |        0x8000 <= lane <= 0xFFFF
//   +---+------------------------------+
//     guard bit
//
// Why 0xC000: a sum that leaves the weights' range by less than 2^15 on either side is between 0 and 0x17FFF, so it
// never borrows from the lane above, carries at most 1 into it, and its own bit 15 is clear unless a carry has set it.
// The lowest lane at fault gets no carry. One AND with 0x8000 in every lane therefore tells whether 16 updates at once
// were exact (Backward). StateHash.load and Genesis let no lane in whose guard bit is clear.
//
// EVEN AND ODD. A product needs more than 16 bits. A word is parted into two of eight 32-bit lanes, and one MUL by an
// activation multiplies eight weights:
//
//   odd   =  word        & M     |  0  | lane 1 |  0  | lane 3 |  ...  |  0  | lane 15 |       M = 0x0000ffff, repeated
//   even  = (word >> 16) & M     |  0  | lane 0 |  0  | lane 2 |  ...  |  0  | lane 14 |
//
// SIGNED LANES. Errors are packed as the integer sum of e_i << position_i, mod 2^256: a negative lane has borrowed one
// from all above it. Sums and multiples of such integers are exact whatever the lanes do meanwhile; to part the lanes
// again, a constant that lifts every lane above zero is added first. With |e| < 2^15 the integer is 0 only if all its
// lanes are.
//
// MIRRORED LANES. The dot product of eight lanes is the top lane of one MUL if one factor has its lanes in reverse:
//
//   (sum of w_j << 32j) * (sum of e_j << 32(7 - j))  =  ... + (sum of w_j * e_j) << 224       mod 2^256
//
// Products with a higher exponent leave the word at the top; those below stay out of the top lane once each lane of the
// total is known to be in 0 ... 2^32 - 1, which adding 2^31 to all of them ensures (CORRECTION).
//
// MAP. The inner loops address memory absolutely, which is cheaper than pointers.
//
//   0x0000   Solidity's: scratch, free pointer, zero slot, spilled variables, the decoded arguments; 0x0800 at most
//   0x0800   errors of three kinds, 8 words each; output errors; constants of the learning rate; sums; accumulators
//   0x1000   lists of active units: 32, 128, 64, 64 entries, and a 0 after each
//   0x3500   queue of 64 boards, or hashes of rows; 8 logits; the two tables; 65 bytes to hash
//   0x4500   W1  32 rows of 256 bytes
//   0x6500   W2 128 rows of 128 bytes
//   0xa500   W3  64 rows of 128 bytes
//   0xc500   W4  64 rows of 16 bytes, two rows a word
//   0xc900   Solidity's again: MEMORY_END is where its allocator goes on
//
// MEMORY SAFETY. `reserve` moves the free pointer over the whole map, so the map is allocated memory in the compiler's
// sense. That is why the kernel's assembly blocks may be marked memory-safe: but for the free pointer itself, they
// write inside the map and nowhere else, and read at most 30 bytes before or 16 bytes after an item of it, always
// within the map. An address is a constant, a constant and a bounded index, or an entry of a list that the same call
// has written; none is taken from the arguments.

/// @dev Errors of the layer being trained: 16 signed lanes a word, in the weights' order, for the update.
uint256 constant ERRORS = 0x0800;
/// @dev The same of 64 units in mirrored 32-bit lanes, for the dot product: for every 16 units a word of the even
/// units' errors, then one of the odd units'.
uint256 constant ERRORS_REVERSED = 0x0900;
/// @dev Errors of the layer before it, filled while the current one is trained; 16 signed lanes a word.
uint256 constant NEXT_ERRORS = 0x0a00;
/// @dev Six output errors, one signed word each. Padding logits 6 and 7 have none.
uint256 constant OUTPUT_ERRORS = 0x0c00;
/// @dev Constants of the learning-rate shift S: S, then 2^15 + 2^(S-1), 2^15 >> S and 0xffff >> S in all 16 lanes.
uint256 constant SHIFT = 0x0d00;
uint256 constant ROUND = 0x0d20;
uint256 constant LIFT = 0x0d40;
uint256 constant KEEP = 0x0d60;
/// @dev The same for 32-bit lanes, where any product fits: 2^17 + 2^(S-1), 2^17 >> S and 0x7ffff >> S.
uint256 constant WIDE_ROUND = 0x0d80;
uint256 constant WIDE_LIFT = 0x0da0;
uint256 constant WIDE_KEEP = 0x0dc0;
/// @dev The largest activation whose products with the current layer's errors fit 16-bit lanes.
uint256 constant LIMIT = 0x0de0;
/// @dev Sums of the activations of the input, a1, a2 and a3, a word each: what the weights' bias counts in their sums.
uint256 constant SUMS = 0x0e00;
/// @dev What the dot products of the current layer are corrected by.
uint256 constant CORRECTION = 0x0ea0;
/// @dev Sums of 64 units: for each 16 units a word of odd lanes, then one of even lanes.
uint256 constant ACCUMULATORS = 0x0f00;

/// @dev Lists of active units, one word each: (address of the unit's weight row) << 8 | activation. An activation is 1
/// to 127, so no entry is 0, which ends a list; bit 7 is free. LIST_3 has 128 * (unit + 1) for the address, since rows
/// of W4 are not whole words. Room is for every unit of a layer and the end.
uint256 constant LIST_INPUT = 0x1000;
uint256 constant LIST_1 = 0x1420;
uint256 constant LIST_2 = 0x2440;
uint256 constant LIST_3 = 0x2c60;

/// @dev Boards waiting behind hazards in the label's flood: one per cost at most, and each holds tiles that no other
/// does, so 64 words are enough.
uint256 constant QUEUE = 0x3500;
/// @dev The same room between steps, while weights are hashed: the leaves of one group, then the 15 groups.
uint256 constant LEAVES = 0x3500;
uint256 constant GROUPS = 0x3700;
/// @dev Eight logits of the last forward pass, one signed word each.
uint256 constant LOGITS = 0x3d00;
/// @dev 256 big-endian uint16.
uint256 constant EXP_TABLE = 0x3e00;
/// @dev 64 times walls and hazards as big-endian uint64.
uint256 constant TEMPLATE_TABLE = 0x4000;
/// @dev Preimages of Merkle nodes, 65 bytes.
uint256 constant HASH_INPUT = 0x4400;

/// @dev The weights as they are serialised, so that they are hashed in place. Only W4 has rows that are not whole
/// words.
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

    /// @dev Must run first in every external function that uses the kernel, and only once. A call's memory begins as
    /// zeros and ends with the call, so no state of one call reaches another.
    function reserve() internal pure {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
            mstore(0x40, MEMORY_END)
        }
        // INVARIANT: nothing allocated before this call overlaps the map. The free pointer also lies above the
        // variables that the compiler spills to memory: it reserves their room before the first allocation.
        if (free > ERRORS) revert MemoryInUse(free);
    }

    /// @dev Copies the two tables to their places. The literals are allocated behind the map, as `reserve` has run.
    function loadTables() internal pure {
        bytes memory exponentials = KernelTables.EXP;
        bytes memory templates = KernelTables.TEMPLATES;
        assembly ("memory-safe") {
            mcopy(EXP_TABLE, add(exponentials, 0x20), 0x200)
            mcopy(TEMPLATE_TABLE, add(templates, 0x20), 0x400)
        }
    }
}
