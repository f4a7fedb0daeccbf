// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBeasts} from "./interfaces/IBeasts.sol";
import {ICheckpointLedger} from "./interfaces/ICheckpointLedger.sol";
import {IDatasetStage} from "./interfaces/IDatasetStage.sol";
import {IDisputeCourt} from "./interfaces/IDisputeCourt.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {IStepReferee} from "./interfaces/IStepReferee.sol";
import {SplitMix64} from "./kernel/SplitMix64.sol";
import {Records} from "./libraries/Records.sol";
import {Schedules} from "./libraries/Schedules.sol";
import {Commitments} from "./types/BeastTypes.sol";
import {BondOutcome, Checkpoint, CheckpointStatus, EpochRecord} from "./types/CheckpointTypes.sol";
import {Conviction, Dispute, DisputeStatus, ProofClaim, StateOpening} from "./types/DisputeTypes.sol";
import {StateHeader, WindowContext} from "./types/KernelTypes.sol";
import {Economics, Schedule} from "./types/SeasonTypes.sol";

/// @title Disputes from filing to verdict
/// @dev The interface carries the rest of the documentation.
contract DisputeCourt is IDisputeCourt {
    using Schedules for Schedule;

    uint8 private constant BATTLE = 2;
    uint8 private constant PRIVATE = 3;
    uint256 private constant WINDOW_STEPS = 128;
    uint8 private constant SEGMENT_STEPS = 8;
    uint8 private constant SEGMENTS = 16;
    /// @dev About what one transaction carries; more than that is staged, where front-running does not pay.
    uint256 private constant MAX_WHOLE_DATASET = 120_000;

    /// @dev A secret made public by filePrivate. Beasts' commitments never change, so it is settled once per beast.
    struct Reveal {
        bool revealed;
        uint64 fold;
    }

    ICheckpointLedger public immutable ledger;
    IBeasts public immutable beasts;
    ISeasonRegistry public immutable seasons;
    IStepReferee public immutable referee;
    IDatasetStage public immutable stage;

    /// @inheritdoc IDisputeCourt
    uint256 public disputeCount;
    /// @inheritdoc IDisputeCourt
    mapping(address trainer => address) public defenderOf;
    /// @inheritdoc IDisputeCourt
    mapping(uint256 beastId => Reveal) public revealedFold;
    mapping(uint256 disputeId => Dispute) private _disputes;

    constructor(
        ICheckpointLedger ledger_,
        IBeasts beasts_,
        ISeasonRegistry seasons_,
        IStepReferee referee_,
        IDatasetStage stage_
    ) {
        ledger = ledger_;
        beasts = beasts_;
        seasons = seasons_;
        referee = referee_;
        stage = stage_;
    }

    // --- opening and answering --------------------------------------------------------------------------------

    /// @inheritdoc IDisputeCourt
    function file(uint256 beastId, Checkpoint calldata c) external returns (uint256 disputeId) {
        // INVARIANT P20: no private window is under dispute without its dataset and secret in public.
        if (c.payload.source == PRIVATE && !revealedFold[beastId].revealed) revert DatasetNotRevealed(beastId);
        return _file(beastId, c);
    }

    /// @inheritdoc IDisputeCourt
    function filePrivate(
        uint256 beastId,
        Checkpoint calldata c,
        bytes calldata dataset,
        bytes32 ownerSecret
    ) external returns (uint256 disputeId) {
        // INVARIANT P34: a dataset that needed staging is revealed from a stage only, so nobody reveals another's.
        if (dataset.length > MAX_WHOLE_DATASET) revert DatasetTooLarge(MAX_WHOLE_DATASET, dataset.length);
        disputeId = _reveal(beastId, c, beasts.commitmentsOf(beastId), keccak256(dataset), ownerSecret);
    }

    /// @inheritdoc IDisputeCourt
    function fileStaged(
        uint256 beastId,
        Checkpoint calldata c,
        bytes32 ownerSecret
    ) external returns (uint256 disputeId) {
        Commitments memory committed = beasts.commitmentsOf(beastId);
        (bytes32 dataHash, address[] memory chunks) = stage.open(msg.sender, committed.cDataset, ownerSecret);
        disputeId = _reveal(beastId, c, committed, dataHash, ownerSecret);
        emit StagedDatasetRevealed(beastId, disputeId, chunks);
    }

    /// @dev Checks dataset and secret against the commitments, keeps the secret's fold, and files.
    function _reveal(
        uint256 beastId,
        Checkpoint calldata c,
        Commitments memory committed,
        bytes32 dataHash,
        bytes32 ownerSecret
    ) private returns (uint256 disputeId) {
        if (c.payload.source != PRIVATE) revert NotPrivate(c.payload.source);
        if (dataHash != committed.cDataset) revert WrongDataset(committed.cDataset, dataHash);
        bytes32 secretHash = keccak256(abi.encode(ownerSecret));
        if (secretHash != committed.ownerSecretHash) revert WrongOwnerSecret(committed.ownerSecretHash, secretHash);
        revealedFold[beastId] = Reveal(true, uint64(SplitMix64.fold64(ownerSecret)));
        disputeId = _file(beastId, c);
        emit PrivateDatasetRevealed(beastId, disputeId, ownerSecret);
    }

    function _file(uint256 beastId, Checkpoint calldata c) private returns (uint256 disputeId) {
        Economics memory e = seasons.economics(c.season);
        // INVARIANT P21: every dispute costs its challenger a bond that it loses unless the checkpoint falls.
        uint128 bond = uint128(e.disputeBondMultiple * uint256(c.payload.energyBurn));
        disputeId = ++disputeCount;
        bytes32 digest = ledger.openDispute(beastId, c, msg.sender, uint64(disputeId), bond);
        Dispute storage d = _disputes[disputeId];
        d.digest = digest;
        d.challenger = msg.sender;
        d.deadline = uint40(block.timestamp + e.responseWindow);
        d.status = DisputeStatus.FILED;
        emit DisputeFiled(disputeId, beastId, c.index, digest, msg.sender, bond, d.deadline);
    }

    /// @inheritdoc IDisputeCourt
    function setDefender(address defender) external {
        defenderOf[msg.sender] = defender;
        emit DefenderSet(msg.sender, defender);
    }

    /// @inheritdoc IDisputeCourt
    function respond(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c,
        bytes32[16] calldata segments
    ) external {
        Dispute storage d = _openDispute(disputeId, beastId, c);
        // INVARIANT P22: only the trainer, or whom it appointed, can put words into its mouth.
        if (msg.sender != c.trainer && msg.sender != defenderOf[c.trainer]) revert NotDefender(msg.sender, c.trainer);
        if (d.status != DisputeStatus.FILED) revert AlreadyResponded(disputeId);
        if (block.timestamp > d.deadline) revert ResponseWindowClosed(d.deadline);
        if (segments[SEGMENTS - 1] != c.payload.h128) revert WrongLastSegment(c.payload.h128, segments[SEGMENTS - 1]);
        // INVARIANT P23: a response, however late, opens a whole proof window.
        d.deadline = uint40(block.timestamp + seasons.economics(c.season).proofWindow);
        d.status = DisputeStatus.RESPONDED;
        d.segmentsHash = keccak256(abi.encode(segments));
        emit DisputeResponded(disputeId, segments, d.deadline);
    }

    // --- verdicts ---------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeCourt
    function prove(
        ProofClaim calldata claim,
        bytes32[16] calldata segments,
        uint8 k,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) external {
        Dispute storage d = _openDispute(claim.disputeId, claim.beastId, claim.checkpoint);
        _requireProofWindow(d, claim.disputeId);
        _requireResponse(d, segments);
        if (k >= SEGMENTS) revert SegmentOutOfRange(k);
        // INVARIANT P24: a segment is judged by re-execution from the state its own response names before it.
        bytes32 result =
            k == 0
                ? _runFromStart(claim, SEGMENT_STEPS, header, weights, witnesses)
                : _run(claim, segments[k - 1], SEGMENT_STEPS, header, weights, witnesses);
        if (result == segments[k]) revert SegmentCorrect(k);
        _uphold(d, claim, Conviction.SEGMENT, k);
    }

    /// @inheritdoc IDisputeCourt
    function advance(
        ProofClaim calldata claim,
        uint8 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses,
        StateOpening calldata end
    ) external {
        Dispute storage d = _openDispute(claim.disputeId, claim.beastId, claim.checkpoint);
        uint8 done = d.stepsDone;
        uint256 left = WINDOW_STEPS - done;
        if (steps == 0 || steps > left) revert StepsOutOfRange(left, steps);
        // INVARIANT P25: the state kept is always the true one: it starts at the parent and moves by re-execution.
        bytes32 result =
            done == 0
                ? _runFromStart(claim, steps, header, weights, witnesses)
                : _run(claim, d.stateHash, steps, header, weights, witnesses);
        d.stepsDone = done + steps;
        d.stateHash = result;
        emit DisputeAdvanced(claim.disputeId, done + steps, result);
        if (steps == left) _judgeWindow(d, claim, result, end);
    }

    /// @dev The whole window has been re-executed: slash it, or prove it.
    function _judgeWindow(
        Dispute storage d,
        ProofClaim calldata claim,
        bytes32 result,
        StateOpening calldata end
    ) private {
        Checkpoint calldata c = claim.checkpoint;
        if (result != c.payload.h128) return _uphold(d, claim, Conviction.ADVANCE, 0);
        // INVARIANT P26: proven means that the payload is true too, not only its hash.
        _requireOpening(result, end.header, end.weightsHash);
        if (_contradicts(claim.beastId, c, end.header)) return _uphold(d, claim, Conviction.HEADER, 0);
        _dismiss(d, claim.disputeId, claim.beastId, c, BondOutcome.BURN_AND_PROVE);
    }

    /// @inheritdoc IDisputeCourt
    function challengeHeader(
        uint256 beastId,
        Checkpoint calldata c,
        Checkpoint calldata parent,
        StateHeader calldata header,
        bytes32 weightsHash
    ) external {
        CheckpointStatus status = ledger.statusOf(beastId, c);
        if (status == CheckpointStatus.UNKNOWN_OR_VOID || status == CheckpointStatus.FINAL) {
            revert NotPending(beastId, c.index);
        }
        _requireOpening(c.payload.h128, header, weightsHash);
        if (!_contradicts(beastId, c, header) && header.parent == _parentHash(beastId, c)) revert NoContradiction();
        uint256 disputeId = ledger.standingOf(ledger.digestOf(beastId, c)).disputeId;
        address challenger = msg.sender;
        if (disputeId != 0) {
            challenger = _disputes[disputeId].challenger;
            _disputes[disputeId].status = DisputeStatus.UPHELD;
        }
        emit DisputeUpheld(disputeId, beastId, c.index, Conviction.HEADER, 0, challenger, msg.sender);
        ledger.slash(beastId, c, parent, challenger, msg.sender);
    }

    /// @inheritdoc IDisputeCourt
    function claimTimeout(ProofClaim calldata claim) external {
        Dispute storage d = _openDispute(claim.disputeId, claim.beastId, claim.checkpoint);
        if (d.status == DisputeStatus.FILED) {
            // INVARIANT P27: silence loses, but never before its deadline.
            if (block.timestamp <= d.deadline) revert ResponseWindowOpen(d.deadline);
            _uphold(d, claim, Conviction.TIMEOUT, 0);
        } else {
            if (d.demand == 0) revert NoDemand(claim.disputeId);
            if (block.timestamp <= d.demandDeadline) revert ResponseWindowOpen(d.demandDeadline);
            _uphold(d, claim, Conviction.RECORDS, d.demand - 1);
        }
    }

    /// @inheritdoc IDisputeCourt
    function dismiss(uint256 disputeId, uint256 beastId, Checkpoint calldata c) external {
        Dispute storage d = _dispute(disputeId, beastId, c);
        if (!ledger.isLive(beastId, c)) {
            // INVARIANT P28: nobody loses a bond over a checkpoint that fell with its ancestor.
            d.status = DisputeStatus.VOIDED;
            emit DisputeVoided(disputeId, beastId, c.index);
            ledger.closeDispute(d.digest, d.challenger, BondOutcome.REFUND);
            return;
        }
        if (d.status != DisputeStatus.RESPONDED) revert NotResponded(disputeId);
        if (d.demand != 0) revert DemandPending(d.demand - 1, d.demandDeadline);
        if (block.timestamp <= d.deadline) revert ProofWindowOpen(d.deadline);
        _dismiss(d, disputeId, beastId, c, BondOutcome.BURN);
    }

    // --- records ----------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeCourt
    function demandRecords(uint256 disputeId, uint256 beastId, Checkpoint calldata c, uint8 k) external {
        Dispute storage d = _openDispute(disputeId, beastId, c);
        if (c.payload.source != PRIVATE) revert NotPrivate(c.payload.source);
        _requireProofWindow(d, disputeId);
        if (k >= SEGMENTS) revert SegmentOutOfRange(k);
        if (d.demand != 0) revert DemandPending(d.demand - 1, d.demandDeadline);
        // INVARIANT P29: each segment is demanded once, so a dispute ends.
        if ((d.demanded >> k) & 1 == 1) revert AlreadyDemanded(k);
        d.demanded |= uint16(1 << k);
        d.demand = k + 1;
        d.demandDeadline = uint40(block.timestamp + seasons.economics(c.season).responseWindow);
        emit RecordsDemanded(disputeId, k, d.demandDeadline);
    }

    /// @inheritdoc IDisputeCourt
    function supplyRecords(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c,
        bytes calldata witnesses
    ) external {
        Dispute storage d = _openDispute(disputeId, beastId, c);
        if (d.demand == 0) revert NoDemand(disputeId);
        if (block.timestamp > d.demandDeadline) revert DemandExpired(d.demandDeadline);
        uint8 k = d.demand - 1;
        uint256[8] memory words = _openRecords(beastId, c.index, k, witnesses);
        d.demand = 0;
        uint40 deadline = uint40(block.timestamp + seasons.economics(c.season).proofWindow);
        if (deadline > d.deadline) d.deadline = deadline;
        emit RecordsSupplied(disputeId, k, words, d.deadline);
    }

    function _openRecords(
        uint256 beastId,
        uint32 index,
        uint8 k,
        bytes calldata witnesses
    ) private view returns (uint256[8] memory) {
        Commitments memory committed = beasts.commitmentsOf(beastId);
        uint256 streamSeed = SplitMix64.fold64(beasts.birthOf(beastId).dna) ^ revealedFold[beastId].fold;
        uint32 firstStep = uint32(uint256(index) * WINDOW_STEPS + uint256(k) * SEGMENT_STEPS);
        return Records.open(committed.recordsRoot, committed.datasetLength, streamSeed, firstStep, witnesses);
    }

    // --- views ------------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeCourt
    function dispute(uint256 disputeId) external view returns (Dispute memory) {
        return _disputes[disputeId];
    }

    /// @inheritdoc IDisputeCourt
    function windowContext(uint256 beastId, Checkpoint calldata c) public view returns (WindowContext memory context) {
        EpochRecord memory epoch = ledger.epochOf(beastId, c.payload.epoch);
        context.dna = beasts.birthOf(beastId).dna;
        context.epochSeed = epoch.epochSeed;
        context.heads = seasons.schedule(c.season).heads(c.payload.epoch);
        context.lrShift = c.payload.lrShift;
        context.source = c.payload.source;
        context.rules = seasons.rules(c.season);
        if (c.payload.source == PRIVATE) {
            Commitments memory committed = beasts.commitmentsOf(beastId);
            context.ownerSecretFold = revealedFold[beastId].fold;
            context.recordsRoot = committed.recordsRoot;
            context.recordsLength = committed.datasetLength;
        } else if (c.payload.source == BATTLE) {
            (context.recordsRoot, context.recordsLength) = ledger.arena().finalLog(c.payload.sourceId);
        }
    }

    // --- re-execution -----------------------------------------------------------------------------------------

    /// @dev From the window's start: the parent's state moved into the window, or the genesis.
    function _runFromStart(
        ProofClaim calldata claim,
        uint256 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) private view returns (bytes32) {
        Checkpoint calldata c = claim.checkpoint;
        WindowContext memory context = windowContext(claim.beastId, c);
        if (c.index == 0) {
            return referee.runFromGenesis(context, claim.beastId, c.payload.activeMask, steps, witnesses);
        }
        return referee.runFromParent(context, c.parent, header, weights, c.payload.activeMask, steps, witnesses);
    }

    function _run(
        ProofClaim calldata claim,
        bytes32 from,
        uint256 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) private view returns (bytes32) {
        return referee.run(windowContext(claim.beastId, claim.checkpoint), from, header, weights, steps, witnesses);
    }

    /// @dev Everything a header and a payload both say, except the parent.
    function _contradicts(
        uint256 beastId,
        Checkpoint calldata c,
        StateHeader calldata header
    ) private pure returns (bool) {
        return
            header.beastId != beastId ||
            header.globalStep != c.payload.globalStep ||
            header.activeMask != c.payload.activeMask ||
            header.windowLoss != c.payload.windowLoss;
    }

    /// @dev What the header of a state within the window calls its parent.
    function _parentHash(uint256 beastId, Checkpoint calldata c) private view returns (bytes32) {
        return c.index == 0 ? referee.genesisHash(beastId, c.parent) : c.parent;
    }

    function _requireOpening(bytes32 expected, StateHeader calldata header, bytes32 weightsHash) private view {
        bytes32 actual = referee.hashState(header, weightsHash);
        if (actual != expected) revert StateMismatch(expected, actual);
    }

    // --- the dispute itself -----------------------------------------------------------------------------------

    /// @dev INVARIANT P19: a claim touches only the dispute over the very record it passes, while that is open.
    function _dispute(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c
    ) private view returns (Dispute storage d) {
        d = _disputes[disputeId];
        if (d.status == DisputeStatus.NONE) revert NoSuchDispute(disputeId);
        if (d.status > DisputeStatus.RESPONDED) revert DisputeEnded(disputeId);
        bytes32 digest = ledger.digestOf(beastId, c);
        if (d.digest != digest) revert WrongRecord(d.digest, digest);
    }

    /// @dev The same, over a checkpoint that still stands. (A disputed one is never final.)
    function _openDispute(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c
    ) private view returns (Dispute storage d) {
        d = _dispute(disputeId, beastId, c);
        if (!ledger.isLive(beastId, c)) revert NotPending(beastId, c.index);
    }

    function _requireProofWindow(Dispute storage d, uint256 disputeId) private view {
        if (d.status != DisputeStatus.RESPONDED) revert NotResponded(disputeId);
        if (block.timestamp > d.deadline) revert ProofWindowClosed(d.deadline);
    }

    function _requireResponse(Dispute storage d, bytes32[16] calldata segments) private view {
        bytes32 actual = keccak256(abi.encode(segments));
        if (actual != d.segmentsHash) revert WrongSegments(d.segmentsHash, actual);
    }

    function _uphold(Dispute storage d, ProofClaim calldata claim, Conviction how, uint8 segment) private {
        // INVARIANT P30: the reward goes to the recorded challenger, whoever brought the proof.
        address challenger = d.challenger;
        d.status = DisputeStatus.UPHELD;
        emit DisputeUpheld(
            claim.disputeId,
            claim.beastId,
            claim.checkpoint.index,
            how,
            segment,
            challenger,
            msg.sender
        );
        ledger.slash(claim.beastId, claim.checkpoint, claim.parent, challenger, msg.sender);
    }

    function _dismiss(
        Dispute storage d,
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c,
        BondOutcome outcome
    ) private {
        d.status = DisputeStatus.DISMISSED;
        emit DisputeDismissed(disputeId, beastId, c.index, outcome == BondOutcome.BURN_AND_PROVE);
        ledger.closeDispute(d.digest, d.challenger, outcome);
    }
}
