// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What a trainer states about one trained window of 128 micro-steps.
/// @param epoch the beast's epoch counter
/// @param h128 state hash after the window
/// @param energyBurn the window's price, burned at finality
/// @param lrShift the schedule's learning-rate shift
/// @param activeMask awake slots during the window
/// @param globalStep step counter after the window, 128 · (index + 1) mod 2^32
/// @param windowLoss summed output error of the window (at most 524,160)
/// @param source 0 CURRICULUM, 1 SELF_PLAY, 2 BATTLE, 3 PRIVATE
/// @param sourceId the match of a BATTLE window, else 0
struct CheckpointPayload {
    uint32 epoch;
    bytes32 h128;
    uint128 energyBurn;
    uint8 lrShift;
    uint8 activeMask;
    uint32 globalStep;
    uint32 windowLoss;
    uint8 source;
    uint32 sourceId;
}

/// @notice The whole record of a submission. The ledger stores its digest; whoever acts on it passes it back.
/// @param index position in the beast's life, from 0
/// @param generation slashings of this beast before the submission, so that no record ever repeats
/// @param parent previous checkpoint's h128; the beast's dna for index 0
/// @param season season of the window's epoch
/// @param trainer who paid, answers for the window and may respond to a dispute
/// @param submittedAt block timestamp in seconds
/// @param bond trainer's bond in wei of ENERGY
/// @param lockedSum Σ (energyBurn + bond) of all the beast's live checkpoints up to and including this one
struct Checkpoint {
    uint32 index;
    uint32 generation;
    bytes32 parent;
    CheckpointPayload payload;
    uint16 season;
    address trainer;
    uint64 submittedAt;
    uint128 bond;
    uint128 lockedSum;
}

/// @notice Where a beast stands: everything the next submission is checked against. Three storage slots.
/// @param h128 state hash of the last live checkpoint; the dna when there is none
/// @param headCount live checkpoints, hence the index of the next one
/// @param epoch epoch of the NEXT window
/// @param epochEnd headCount at which that epoch completes
/// @param season season of that epoch
/// @param activeMask mask of the last window; the genesis mask when there is none
/// @param lrShift learning-rate shift of that epoch
/// @param windowLoss loss of the last window
/// @param source source of the last window
/// @param comparable whether the last window had the heads and season of the next one (for the loss-drop flag)
/// @param epochSeedTag low 64 bits of the epoch's seed
/// @param lockedSum lockedSum of the last live checkpoint
/// @param finalCount final checkpoints
/// @param generation slashings so far
/// @param trainerTag low 64 bits of the last window's trainer, 0 when there is none
struct Head {
    bytes32 h128;
    uint32 headCount;
    uint32 epoch;
    uint32 epochEnd;
    uint16 season;
    uint8 activeMask;
    uint8 lrShift;
    uint32 windowLoss;
    uint8 source;
    bool comparable;
    uint64 epochSeedTag;
    uint128 lockedSum;
    uint32 finalCount;
    uint32 generation;
    uint64 trainerTag;
}

/// @notice Where an epoch of a beast began.
/// @param epochSeed block hash that seeds its curriculum
/// @param season season that governs it from its first window to its last
/// @param startIndex index of its first checkpoint
struct EpochRecord {
    bytes32 epochSeed;
    uint16 season;
    uint32 startIndex;
}

/// @notice A trainer's stake on one beast, in native coin. One storage slot.
/// @param amount wei
/// @param barredAt head count when its withdrawal was announced
/// @param withdrawableAt first second at which it may be withdrawn; 0: not announced
struct Stake {
    uint128 amount;
    uint32 barredAt;
    uint64 withdrawableAt;
}

/// @notice What the ledger knows about disputes over one checkpoint digest. One storage slot.
/// @param disputeId the open dispute, 0 if none
/// @param bond the open dispute's bond in wei of ENERGY
/// @param proven re-executed on chain from start to end: beyond dispute
struct Standing {
    uint64 disputeId;
    uint128 bond;
    bool proven;
}

/// @notice How the ledger sees one checkpoint record.
enum CheckpointStatus {
    UNKNOWN_OR_VOID,
    PENDING,
    DISPUTED,
    PROVEN,
    FINAL
}

/// @notice What becomes of a filer's ENERGY bond when a dispute ends without a slashing.
enum BondOutcome {
    BURN,
    BURN_AND_PROVE,
    REFUND
}
