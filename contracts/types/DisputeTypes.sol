// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader} from "./KernelTypes.sol";
import {Checkpoint} from "./CheckpointTypes.sol";

/// @notice Life of a dispute.
/// FILED: waits for the trainer's segments. RESPONDED: waits for a proof. The other three are ends:
/// UPHELD slashed the checkpoint, DISMISSED burned the bond, VOIDED returned it (an ancestor was slashed).
enum DisputeStatus {
    NONE,
    FILED,
    RESPONDED,
    UPHELD,
    DISMISSED,
    VOIDED
}

/// @notice What convicted a checkpoint.
enum Conviction {
    TIMEOUT,
    SEGMENT,
    ADVANCE,
    HEADER,
    RECORDS
}

/// @notice One dispute over one checkpoint.
/// @param digest digest of the disputed checkpoint (chain, ledger, beast and record)
/// @param challenger who filed, bonded and is rewarded
/// @param deadline last second for the response (FILED) or for proofs (RESPONDED)
/// @param status see DisputeStatus
/// @param stepsDone micro-steps re-executed by `advance`
/// @param demanded bit k: the records of segment k have been demanded
/// @param demand 1 + the segment whose records are due, 0 if none
/// @param demandDeadline last second to supply them
/// @param segmentsHash keccak256(abi.encode(bytes32[16])) of the response
/// @param stateHash true state hash after `stepsDone` steps
struct Dispute {
    bytes32 digest;
    address challenger;
    uint40 deadline;
    DisputeStatus status;
    uint8 stepsDone;
    uint16 demanded;
    uint8 demand;
    uint40 demandDeadline;
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

/// @notice Preimage of a state hash, with the weights hashed.
struct StateOpening {
    StateHeader header;
    bytes32 weightsHash;
}
