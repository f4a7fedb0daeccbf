// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader} from "./KernelTypes.sol";
import {Checkpoint} from "./CheckpointTypes.sol";

/// @notice Life of a dispute.
/// FILED: openings are outstanding. OPENED: all are made, the proof window runs. The other four are ends:
/// UPHELD slashed the checkpoint, DISMISSED burned the ENERGY bond, PROVEN re-executed the window to its end and found
/// it right, VOIDED returned the bonds (an ancestor was slashed).
enum DisputeStatus {
    NONE,
    FILED,
    OPENED,
    UPHELD,
    DISMISSED,
    PROVEN,
    VOIDED
}

/// @notice What a dispute opens, so that everybody can re-execute the window.
/// SEGMENTS: the 16 state hashes of the window. STATE: the state that it starts from. RECORDS: the records of a private
/// dataset that its steps sample.
enum Opening {
    SEGMENTS,
    STATE,
    RECORDS
}

/// @notice What convicted a checkpoint.
enum Conviction {
    TIMEOUT,
    SEGMENT,
    ADVANCE,
    HEADER
}

/// @notice How the opening bond of a dispute ends.
/// RETURN: whole to the filer. KEEP: what was paid for openings stays paid, and as much of the surplus burns. VOID: what was
/// paid stays paid, the surplus returns.
enum BondEnd {
    RETURN,
    KEEP,
    VOID
}

/// @notice One dispute over one checkpoint.
/// @param digest digest of the disputed checkpoint (chain, ledger, beast and record)
/// @param filer who filed and put up both bonds
/// @param filedIn block of the filing
/// @param responseDeadline last second for openings, the filing's plus the season's response window
/// @param status see DisputeStatus
/// @param missing bit 1 << Opening: still to be opened
/// @param proofStart second of the last opening, 0 before
/// @param proofDeadline last second for `prove`, 0 before the last opening
/// @param stepsDone micro-steps re-executed by `advance`
/// @param segmentsHash keccak256(abi.encode(bytes32[16])) of the opened segments
/// @param stateHash true state hash after `stepsDone` steps
struct Dispute {
    bytes32 digest;
    address filer;
    uint40 filedIn;
    uint40 responseDeadline;
    DisputeStatus status;
    uint8 missing;
    uint40 proofStart;
    uint40 proofDeadline;
    uint8 stepsDone;
    bytes32 segmentsHash;
    bytes32 stateHash;
}

/// @notice Names the dispute and passes the records it is about.
/// @param parent the checkpoint before; ignored (pass zeros) for index 0
struct ProofClaim {
    uint256 disputeId;
    uint256 beastId;
    Checkpoint checkpoint;
    Checkpoint parent;
}

/// @notice Preimage of a state hash, with the root of the weights.
struct StateOpening {
    StateHeader header;
    bytes32 weightsRoot;
}

/// @notice Who is paid for a conviction.
/// @param disputeId the dispute, 0 for a header challenge outside one
/// @param filer gets the filing share; zero: it burns
/// @param prover gets the proof share; zero: see `steps`
/// @param steps without a prover, the committed steps of `advance` that share the proof share, of 128; the rest burns
/// @param gasCap gas that the conviction is paid for if an earlier one takes its reward over
struct Payees {
    uint256 disputeId;
    address filer;
    address prover;
    uint8 steps;
    uint32 gasCap;
}

/// @notice The opening bond of a dispute, in wei of native coin.
/// @param base pays for openings
/// @param surplus asked besides while other disputes of the beast are open; pays for openings when `base` is used up
/// @param slashings times that the trainer had been slashed on the beast when the bond was locked
/// @param paid part of the bond that the trainer already has, a debt against its stake until the dispute ends
/// @param waiting part of the bond that the trainer gets when the dispute ends without a conviction
struct OpeningBond {
    uint96 base;
    uint96 surplus;
    uint32 slashings;
    uint128 paid;
    uint128 waiting;
}

/// @notice The reward out of a slashed stake, held until no earlier window of the beast is pending.
/// @param index of the convicted checkpoint; a conviction below it takes the reward over
/// @param disputeId whose committed steps share `proof` if there is no prover
/// @param filer gets `filing`
/// @param prover gets `proof`; zero: the committed steps do
/// @param gasCap gas that is paid for out of `proof` if it is taken over
struct StakeReward {
    uint128 filing;
    uint128 proof;
    address filer;
    uint32 index;
    uint64 disputeId;
    address prover;
    uint32 gasCap;
}
