// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader, WindowContext} from "../types/KernelTypes.sol";
import {Checkpoint} from "../types/CheckpointTypes.sol";
import {Conviction, Dispute, ProofClaim, StateOpening} from "../types/DisputeTypes.sol";

/// @title Where a wrong micro-step is proved and slashed
/// @notice One open dispute per checkpoint. A verdict comes from re-execution in the EVM, from a contradiction in an
/// opened header, or from silence; nobody can make, save or pause one. No owner, no money of its own.
interface IDisputeCourt {
    event DisputeFiled(
        uint256 indexed disputeId,
        uint256 indexed beastId,
        uint32 indexed index,
        bytes32 digest,
        address challenger,
        uint256 bond,
        uint256 responseDeadline
    );
    /// @notice The private dataset is public, in this transaction's calldata or in the chunks that the next event of
    /// this beast names; from now on anyone may `file` without it.
    event PrivateDatasetRevealed(uint256 indexed beastId, uint256 indexed disputeId, bytes32 ownerSecret);
    /// @param chunks contracts whose code is a zero byte and a part of the compressed dataset, in order
    event StagedDatasetRevealed(uint256 indexed beastId, uint256 indexed disputeId, address[] chunks);
    event DefenderSet(address indexed trainer, address indexed defender);
    event DisputeResponded(uint256 indexed disputeId, bytes32[16] segments, uint256 proofDeadline);
    event DisputeAdvanced(uint256 indexed disputeId, uint8 steps, bytes32 stateHash);
    event RecordsDemanded(uint256 indexed disputeId, uint8 segment, uint256 deadline);
    /// @param words the segment's eight words, in step order
    event RecordsSupplied(uint256 indexed disputeId, uint8 segment, uint256[8] words, uint256 proofDeadline);
    /// @notice The checkpoint was slashed. disputeId is 0 for a header challenge outside a dispute.
    /// @param segment the segment that was wrong or not opened, else 0
    event DisputeUpheld(
        uint256 indexed disputeId,
        uint256 indexed beastId,
        uint32 indexed index,
        Conviction how,
        uint8 segment,
        address challenger,
        address prover
    );
    /// @param proven the window was re-executed to its end and is right
    event DisputeDismissed(uint256 indexed disputeId, uint256 indexed beastId, uint32 indexed index, bool proven);
    /// @notice An ancestor was slashed, the bond returned.
    event DisputeVoided(uint256 indexed disputeId, uint256 indexed beastId, uint32 indexed index);

    /// @notice A private window can be disputed only with its dataset on chain: use filePrivate or fileStaged.
    error DatasetNotRevealed(uint256 beastId);
    error NotPrivate(uint8 source);
    /// @notice More than a transaction carries: stage it and use fileStaged.
    error DatasetTooLarge(uint256 max, uint256 actual);
    error WrongDataset(bytes32 committed, bytes32 actual);
    error WrongOwnerSecret(bytes32 committed, bytes32 actual);
    error NoSuchDispute(uint256 disputeId);
    error DisputeEnded(uint256 disputeId);
    /// @notice The records passed are not those the dispute is about.
    error WrongRecord(bytes32 expected, bytes32 actual);
    error NotDefender(address caller, address trainer);
    error AlreadyResponded(uint256 disputeId);
    error NotResponded(uint256 disputeId);
    error ResponseWindowOpen(uint256 deadline);
    error ResponseWindowClosed(uint256 deadline);
    error ProofWindowOpen(uint256 deadline);
    error ProofWindowClosed(uint256 deadline);
    error WrongLastSegment(bytes32 h128, bytes32 actual);
    error WrongSegments(bytes32 expected, bytes32 actual);
    error SegmentOutOfRange(uint8 segment);
    error SegmentCorrect(uint8 segment);
    error StepsOutOfRange(uint256 max, uint256 actual);
    /// @notice The checkpoint is not pending: final, or void by an ancestor's slashing (then `dismiss`).
    error NotPending(uint256 beastId, uint32 index);
    error StateMismatch(bytes32 expected, bytes32 actual);
    error NoContradiction();
    error DemandPending(uint8 segment, uint256 deadline);
    error NoDemand(uint256 disputeId);
    error AlreadyDemanded(uint8 segment);
    error DemandExpired(uint256 deadline);
    error WitnessLength(uint256 expected, uint256 actual);
    error WrongWitness(uint256 step, uint256 index);

    // --- opening and answering --------------------------------------------------------------------------------

    /// @notice Dispute a pending checkpoint; locks the bond from the caller's escrow. A PRIVATE window needs
    /// `filePrivate` or `fileStaged` unless its dataset has been revealed before.
    function file(uint256 beastId, Checkpoint calldata checkpoint) external returns (uint256 disputeId);

    /// @notice Dispute a PRIVATE window, revealing the compressed dataset and the owner's secret.
    /// @param dataset the exact compressed bytes behind C_dataset, at most 120,000; hashed, not stored
    function filePrivate(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes calldata dataset,
        bytes32 ownerSecret
    ) external returns (uint256 disputeId);

    /// @notice Dispute a PRIVATE window with the compressed dataset that the caller has put on its own stage, in an
    /// earlier block and sealed with the secret.
    function fileStaged(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes32 ownerSecret
    ) external returns (uint256 disputeId);

    /// @notice Let `defender` answer disputes over checkpoints that the caller submitted; zero ends it.
    function setDefender(address defender) external;

    /// @notice Post the 16 segment state hashes; the last must be h128. Only the trainer or its defender: anyone
    /// else could answer with rubbish and have an honest trainer slashed.
    function respond(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes32[16] calldata segments
    ) external;

    // --- verdicts ---------------------------------------------------------------------------------------------

    /// @notice Prove that segment `k` of the response is wrong: open the state before it and re-execute 8 steps.
    /// @param segments the response
    /// @param header for k > 0 the header behind segments[k − 1]; for k = 0 the parent checkpoint's (ignored for the
    /// very first window, whose genesis the contract generates)
    /// @param weights its 33,792 bytes (empty for the very first window)
    /// @param witnesses records with their Merkle paths for a PRIVATE window, else empty
    function prove(
        ProofClaim calldata claim,
        bytes32[16] calldata segments,
        uint8 k,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) external;

    /// @notice Re-execute the next `steps` steps of the window from its start; needs no response. At step 128 a
    /// result different from h128 slashes, an equal one proves the checkpoint.
    /// @param header the state reached so far; at the start the parent checkpoint's, as in `prove`
    /// @param end preimage of h128, read only when step 128 is reached with an equal hash: a payload that
    /// contradicts it slashes. Pass zeros otherwise.
    function advance(
        ProofClaim calldata claim,
        uint8 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses,
        StateOpening calldata end
    ) external;

    /// @notice Open a pending checkpoint's h128 into a header that contradicts its payload. Needs no dispute.
    function challengeHeader(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        Checkpoint calldata parent,
        StateHeader calldata header,
        bytes32 weightsHash
    ) external;

    /// @notice Slash for silence: no response, or demanded records not supplied in time.
    function claimTimeout(ProofClaim calldata claim) external;

    /// @notice End a dispute that proved nothing in time (bond burned) or whose checkpoint an ancestor's slashing
    /// voided (bond returned).
    function dismiss(uint256 disputeId, uint256 beastId, Checkpoint calldata checkpoint) external;

    // --- records of a private dataset that does not open its root ---------------------------------------------

    /// @notice Demand the eight records of segment `k` (each segment once, one at a time, after a response).
    function demandRecords(uint256 disputeId, uint256 beastId, Checkpoint calldata checkpoint, uint8 k) external;

    /// @notice Open the demanded records against the committed root. Anyone may; extends the proof window.
    /// @param witnesses per step the word and its Merkle siblings, as for `prove`
    function supplyRecords(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes calldata witnesses
    ) external;

    // --- views ------------------------------------------------------------------------------------------------

    function dispute(uint256 disputeId) external view returns (Dispute memory);

    /// @notice Disputes filed so far; the last has this id.
    function disputeCount() external view returns (uint256);

    /// @notice Who may answer for `trainer` besides itself, zero if nobody.
    function defenderOf(address trainer) external view returns (address);

    /// @notice fold64 of a revealed owner's secret.
    function revealedFold(uint256 beastId) external view returns (bool revealed, uint64 fold);

    /// @notice What the referee judges a window by. For a PRIVATE window whose secret is not revealed the fold is 0.
    function windowContext(
        uint256 beastId,
        Checkpoint calldata checkpoint
    ) external view returns (WindowContext memory);
}
