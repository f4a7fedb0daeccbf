// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// What a micro-step is computed from: the season's combat constants, the state's header and the window's context.
// The weights are no struct: they travel as 33,792 bytes (docs/spec, network).

/// @notice The season's constants that a micro-step depends on; ranges in docs/spec, rules §3.
struct Rules {
    uint16 damageK;
    uint8 damageCurve;
    uint8 blockGain;
    uint8 blockCap;
    uint16 critOdds;
    uint8 hazardStamina;
    uint8 restGain;
    uint8 maxTurns;
    uint8 blockThresholdNum;
    uint8 blockThresholdDen;
    uint8 selfPlayWords;
}

/// @notice Everything of a training state but its weights.
/// @param beastId the creature
/// @param parent the previous checkpoint's hash; for the first window the genesis hash; at genesis the DNA
/// @param globalStep micro-steps since hatch, modulo 2^32
/// @param activeMask bits 0-3 sensor slots, bits 4-7 appendage slots
/// @param windowLoss sum of absolute output errors since the window's start, modulo 2^32
/// @param arena the self-play position that the next step trains on, 0 for a fresh one
struct StateHeader {
    uint256 beastId;
    bytes32 parent;
    uint32 globalStep;
    uint8 activeMask;
    uint32 windowLoss;
    uint256 arena;
}

/// @notice Some rows of a state's weights, and hashes for all others (docs/spec, state §2).
/// @param leaves bit i: leaf i of the weights' tree is opened
/// @param packed bit i: the opened leaf i comes packed, its weights all within -2048 to 2047
/// @param rows the opened leaves in ascending order, as they are serialised: 256 bytes for each of leaves 0 to 31, 128 for
/// every other; a packed one as big-endian 12 bits of w + 2048 for each weight, so three quarters as long
/// @param siblings in ascending order: of a group without an opened leaf its hash, of any other those of the leaves that are
/// not opened
struct RowOpening {
    uint256 leaves;
    uint256 packed;
    bytes rows;
    bytes32[] siblings;
}

/// @notice What stays the same for all 128 micro-steps of a window.
/// @param dna the beast's DNA
/// @param epochSeed the block hash recorded for the beast's epoch
/// @param heads label heads that learn: 1 move, 3 move and attack, 7 all three
/// @param lrShift learning-rate shift, 3 to 15
/// @param source 0 curriculum, 1 self-play, 2 battle, 3 private
/// @param ownerSecretFold fold64 of the owner's secret; only private windows read it
/// @param recordsRoot Merkle root of the dataset (private) or of the match log (battle), else unread
/// @param recordsLength words under that root; 0 for a private window whose records were opened before
/// @param rules the season's constants
struct WindowContext {
    bytes32 dna;
    bytes32 epochSeed;
    uint8 heads;
    uint8 lrShift;
    uint8 source;
    uint64 ownerSecretFold;
    bytes32 recordsRoot;
    uint32 recordsLength;
    Rules rules;
}
