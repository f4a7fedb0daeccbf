// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader} from "../types/KernelTypes.sol";
import {Checkpoint} from "../types/CheckpointTypes.sol";
import {Conviction, Dispute, Opening, ProofClaim, StateOpening} from "../types/DisputeTypes.sol";
import {ICheckpointLedger} from "./ICheckpointLedger.sol";
import {IDisputeVault} from "./IDisputeVault.sol";
import {IRecordArchive} from "./IRecordArchive.sol";
import {IStateArchive} from "./IStateArchive.sol";
import {IWindowReferee} from "./IWindowReferee.sol";

/// @title Where a wrong micro-step is proved and slashed
/// @notice A dispute opens everything that re-execution needs, or the checkpoint falls. A verdict comes from re-execution
/// in the EVM, from a contradiction in an opened header, or from silence; nobody can make, save or pause one. One open
/// dispute per checkpoint. No owner, no money of its own.
interface IDisputeCourt {
    /// @param bond the filer's bond in ENERGY; the opening bond is the vault's
    /// @param missing bit 1 << Opening: to be opened until `responseDeadline`
    event DisputeFiled(
        uint256 indexed disputeId,
        uint256 indexed beastId,
        uint32 indexed index,
        bytes32 digest,
        address filer,
        uint256 bond,
        uint8 missing,
        uint256 responseDeadline
    );
    /// @notice Filed over a checkpoint that is under dispute already; nothing was locked.
    event FilingIgnored(uint256 indexed disputeId, uint256 indexed beastId, uint32 indexed index, address caller);
    event DefenderSet(address indexed trainer, address indexed defender);
    event SegmentsOpened(uint256 indexed disputeId, bytes32[16] segments);
    event OpeningAccepted(uint256 indexed disputeId, Opening opening, uint8 missing);
    /// @notice The last opening is made: prove until `proofDeadline`; the filer is paid for proofs until `headStartEnd`.
    event ProofWindowOpened(uint256 indexed disputeId, uint256 headStartEnd, uint256 proofDeadline);
    event Committed(address indexed account, bytes32 commitment);
    /// @param steps steps done so far
    /// @param account who re-executed the last `count` of them
    /// @param counted whether it had committed to them, so that they are paid
    event DisputeAdvanced(
        uint256 indexed disputeId,
        uint8 steps,
        bytes32 stateHash,
        address account,
        uint8 count,
        bool counted
    );
    /// @notice The checkpoint was slashed. disputeId is 0 for a header challenge outside a dispute.
    /// @param segment the segment that was wrong, else 0
    /// @param prover who gets the proof share; zero if it burns or is shared by steps
    event DisputeUpheld(
        uint256 indexed disputeId,
        uint256 indexed beastId,
        uint32 indexed index,
        Conviction how,
        uint8 segment,
        address filer,
        address prover
    );
    /// @notice Nothing was proved in time: the ENERGY bond burned.
    event DisputeDismissed(uint256 indexed disputeId, uint256 indexed beastId, uint32 indexed index);
    /// @notice The window was re-executed to its end and is right: beyond dispute from now on.
    event DisputeProven(uint256 indexed disputeId, uint256 indexed beastId, uint32 indexed index);
    /// @notice An ancestor was slashed, the bonds returned.
    event DisputeVoided(uint256 indexed disputeId, uint256 indexed beastId, uint32 indexed index);

    error NoSuchDispute(uint256 disputeId);
    error DisputeEnded(uint256 disputeId);
    /// @notice The records passed are not those the dispute is about.
    error WrongRecord(bytes32 expected, bytes32 actual);
    error NotDefender(address caller, address trainer);
    /// @notice No publication in the archives makes an opening that is missing.
    error NothingToAccept(uint256 disputeId);
    error SegmentsMissing(uint256 disputeId);
    /// @notice Openings are outstanding, so the dispute cannot be dismissed.
    error OpeningsMissing(uint256 disputeId, uint8 missing);
    /// @notice All openings were made in time: nothing to claim.
    error NothingMissing(uint256 disputeId);
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
    error AlreadyCommitted(bytes32 commitment);

    // --- filing and opening -----------------------------------------------------------------------------------

    /// @notice Dispute a pending checkpoint whose challenge period runs; locks the ENERGY bond from the caller's escrow and
    /// the opening bond out of the value sent. Over an open dispute it does nothing but emit an event.
    function file(uint256 beastId, Checkpoint calldata checkpoint) external payable returns (uint256 disputeId);

    /// @notice The same, revealing the compressed dataset and the owner's secret of a private beast.
    function filePrivate(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes calldata dataset,
        bytes32 ownerSecret
    ) external payable returns (uint256 disputeId);

    /// @notice The same, with the compressed dataset that the caller has put on its own stage, in an earlier block and
    /// sealed with the secret.
    function fileStaged(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes32 ownerSecret
    ) external payable returns (uint256 disputeId);

    /// @notice Let `defender` open the segments of checkpoints that the caller submitted; zero ends it.
    function setDefender(address defender) external;

    /// @notice Open the 16 segment state hashes; the last must be h128. Only the trainer or its defender: anyone else could
    /// answer with rubbish and have an honest trainer slashed.
    function openSegments(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes32[16] calldata segments
    ) external;

    /// @notice Take note of state and records that were published in the archives in time, so that the trainer is paid for
    /// them. Anyone may; every other move of the dispute does it, too.
    function acceptOpenings(uint256 disputeId, uint256 beastId, Checkpoint calldata checkpoint) external;

    // --- verdicts ---------------------------------------------------------------------------------------------

    /// @notice Commit to a proof before sending it, so that nobody can copy its reward from the mempool.
    /// @param commitment of a proof: keccak256(abi.encode(sender, digest, uint8 k, result, salt)), where k is 16 and the result
    /// keccak256(abi.encode(header, weightsRoot)) for `challengeHeader`; of steps: keccak256(abi.encode(sender, digest, uint8 first, uint8 count, result, salt))
    function commit(bytes32 commitment) external;

    /// @notice Prove that segment `k` is wrong: open the state before it and re-execute 8 steps.
    /// @param segments the opened ones
    /// @param header for k > 0 the header behind segments[k − 1]; for k = 0 the parent checkpoint's (ignored for the
    /// very first window, whose genesis the contract generates)
    /// @param weights its 33,792 bytes (empty for the very first window)
    /// @param witnesses as IWindowReferee.run takes them
    /// @param salt of the commitment, if the caller made one
    function prove(
        ProofClaim calldata claim,
        bytes32[16] calldata segments,
        uint8 k,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses,
        bytes32 salt
    ) external;

    /// @notice Re-execute the next `steps` steps of the window from its start; needs no opening. At step 128 a result
    /// different from h128 slashes, an equal one proves the checkpoint.
    /// @param header the state reached so far; at the start the parent checkpoint's, as in `prove`
    /// @param end preimage of h128, read only when step 128 is reached with an equal hash: a payload that
    /// contradicts it slashes. Pass zeros otherwise.
    /// @param salt of the commitment, if the caller made one
    function advance(
        ProofClaim calldata claim,
        uint8 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses,
        StateOpening calldata end,
        bytes32 salt
    ) external;

    /// @notice Open a pending checkpoint's h128 into a header that contradicts its payload. Needs no dispute.
    function challengeHeader(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        Checkpoint calldata parent,
        StateHeader calldata header,
        bytes32 weightsRoot,
        bytes32 salt
    ) external;

    /// @notice Slash for an opening that was not made in time. Both shares go to the filer, whoever calls.
    function claimTimeout(ProofClaim calldata claim) external;

    /// @notice End a dispute in which nothing was proved in time, or whose checkpoint an ancestor's slashing voided.
    function dismiss(uint256 disputeId, uint256 beastId, Checkpoint calldata checkpoint) external;

    // --- views ------------------------------------------------------------------------------------------------

    function dispute(uint256 disputeId) external view returns (Dispute memory);

    /// @notice Disputes filed so far; the last has this id.
    function disputeCount() external view returns (uint256);

    /// @notice Who may answer for `trainer` besides itself, zero if nobody.
    function defenderOf(address trainer) external view returns (address);

    /// @notice Block in which a commitment was made, 0 if it was not.
    function committedIn(bytes32 commitment) external view returns (uint256);

    /// @notice What filing over the checkpoint would ask for now.
    /// @return bond wei of ENERGY
    /// @return openingBond wei of native coin
    /// @return missing the openings that would be owed
    function quote(
        uint256 beastId,
        Checkpoint calldata checkpoint
    ) external view returns (uint256 bond, uint256 openingBond, uint8 missing);

    function ledger() external view returns (ICheckpointLedger);

    function vault() external view returns (IDisputeVault);

    function referee() external view returns (IWindowReferee);

    function states() external view returns (IStateArchive);

    function records() external view returns (IRecordArchive);
}
