// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICheckpointLedger} from "./interfaces/ICheckpointLedger.sol";
import {IDisputeCourt} from "./interfaces/IDisputeCourt.sol";
import {IDisputeVault} from "./interfaces/IDisputeVault.sol";
import {IRecordArchive} from "./interfaces/IRecordArchive.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {IStateArchive} from "./interfaces/IStateArchive.sol";
import {IWindowReferee} from "./interfaces/IWindowReferee.sol";
import {OpeningGas} from "./libraries/OpeningGas.sol";
import {Publication, Publications} from "./libraries/Publications.sol";
import {BondOutcome, Checkpoint, CheckpointStatus} from "./types/CheckpointTypes.sol";
import {
    BondEnd,
    Conviction,
    Dispute,
    DisputeStatus,
    Opening,
    Payees,
    ProofClaim,
    StateOpening
} from "./types/DisputeTypes.sol";
import {StateHeader} from "./types/KernelTypes.sol";
import {Economics} from "./types/SeasonTypes.sol";

/// @title Disputes from filing to verdict
/// @dev The interface carries the rest of the documentation.
contract DisputeCourt is IDisputeCourt {
    using Publications for Publication;

    uint8 private constant PRIVATE = 3;
    uint256 private constant WINDOW_STEPS = 128;
    uint8 private constant SEGMENT_STEPS = 8;
    uint8 private constant SEGMENTS = 16;
    /// @dev The place in a commitment where a proof names its segment, for a challenge of the header.
    uint8 private constant HEADER = 16;
    /// @dev The filer alone is paid for proofs in the first quarter of the proof window.
    uint256 private constant HEAD_START_DIVISOR = 4;
    /// @dev What re-executing a micro-step is paid as (docs/gas-report.md, `advance`).
    uint256 private constant STEP_GAS = 200_000;
    uint256 private constant ENERGY_UNIT = 1e18;
    /// @dev What a conviction is paid for if an earlier one takes its reward over: by silence or header, and by a proof.
    uint32 private constant CHEAP_GAS = 400_000;
    uint32 private constant PROOF_GAS = 2_500_000;

    /// @inheritdoc IDisputeCourt
    ICheckpointLedger public immutable ledger;
    ISeasonRegistry public immutable seasons;
    /// @inheritdoc IDisputeCourt
    IDisputeVault public immutable vault;
    /// @inheritdoc IDisputeCourt
    IWindowReferee public immutable referee;
    /// @inheritdoc IDisputeCourt
    IStateArchive public immutable states;
    /// @inheritdoc IDisputeCourt
    IRecordArchive public immutable records;
    uint256 private immutable _referenceFee;

    /// @inheritdoc IDisputeCourt
    uint256 public disputeCount;
    /// @inheritdoc IDisputeCourt
    mapping(address trainer => address) public defenderOf;
    /// @inheritdoc IDisputeCourt
    mapping(bytes32 commitment => uint256) public committedIn;
    mapping(uint256 disputeId => Dispute) private _disputes;

    constructor(IDisputeVault vault_, ISeasonRegistry seasons_, IWindowReferee referee_, IStateArchive states_) {
        ledger = vault_.ledger();
        seasons = seasons_;
        vault = vault_;
        referee = referee_;
        states = states_;
        records = referee_.records();
        _referenceFee = seasons_.referenceFee();
    }

    // --- filing -----------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeCourt
    function file(uint256 beastId, Checkpoint calldata c) external payable returns (uint256 disputeId) {
        return _file(beastId, c);
    }

    /// @inheritdoc IDisputeCourt
    function filePrivate(
        uint256 beastId,
        Checkpoint calldata c,
        bytes calldata dataset,
        bytes32 ownerSecret
    ) external payable returns (uint256 disputeId) {
        records.revealDataset(beastId, dataset, ownerSecret);
        return _file(beastId, c);
    }

    /// @inheritdoc IDisputeCourt
    function fileStaged(
        uint256 beastId,
        Checkpoint calldata c,
        bytes32 ownerSecret
    ) external payable returns (uint256 disputeId) {
        records.revealStaged(beastId, msg.sender, ownerSecret);
        return _file(beastId, c);
    }

    function _file(uint256 beastId, Checkpoint calldata c) private returns (uint256 disputeId) {
        bytes32 digest = ledger.digestOf(beastId, c);
        disputeId = ledger.standingOf(digest).disputeId;
        if (disputeId != 0) {
            // A decoy costs the honest filer no revert: it goes on with the dispute that is open.
            emit FilingIgnored(disputeId, beastId, c.index, msg.sender);
            if (msg.value != 0) vault.refund{value: msg.value}(msg.sender);
            return disputeId;
        }
        Economics memory e = seasons.economics(c.season);
        disputeId = ++disputeCount;
        // INVARIANT P21: every dispute costs its filer a bond that it loses unless the checkpoint falls.
        uint128 bond = uint128(e.disputeBondMultiple * uint256(c.payload.energyBurn));
        ledger.openDispute(beastId, c, msg.sender, uint64(disputeId), bond);
        uint8 missing = _missing(beastId, c, e);
        uint40 deadline = uint40(block.timestamp + e.responseWindow);
        Dispute storage d = _disputes[disputeId];
        d.digest = digest;
        d.filer = msg.sender;
        d.filedIn = uint40(block.number);
        d.responseDeadline = deadline;
        d.status = DisputeStatus.FILED;
        d.missing = missing;
        emit DisputeFiled(disputeId, beastId, c.index, digest, msg.sender, bond, missing, deadline);
        uint256 gasOwed = OpeningGas.owed(missing, _recordsLength(beastId, missing));
        vault.lock{value: msg.value}(disputeId, beastId, c.trainer, msg.sender, gasOwed);
    }

    /// @dev INVARIANT P44: a dispute opens everything that re-execution needs and that the chain does not have where nodes
    /// still serve it.
    function _missing(uint256 beastId, Checkpoint calldata c, Economics memory e) private view returns (uint8 missing) {
        missing = _bit(Opening.SEGMENTS);
        if (c.index != 0 && !_isYoung(states.publicationOf(c.parent), e)) missing |= _bit(Opening.STATE);
        if (c.payload.source == PRIVATE && !_isYoung(_recordsOf(beastId, c), e)) missing |= _bit(Opening.RECORDS);
    }

    function _isYoung(Publication memory p, Economics memory e) private view returns (bool) {
        return p.time != 0 && uint256(p.time) + e.publicationAge >= block.timestamp;
    }

    /// @inheritdoc IDisputeCourt
    function setDefender(address defender) external {
        defenderOf[msg.sender] = defender;
        emit DefenderSet(msg.sender, defender);
    }

    // --- openings ---------------------------------------------------------------------------------------------
    // State and records are opened in the archives; the court takes note. An opening that has been made is left as it is,
    // without a revert: who opens several things in one transaction cannot be made to miss the deadline by a copy of one.

    /// @inheritdoc IDisputeCourt
    function openSegments(
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c,
        bytes32[16] calldata segments
    ) external {
        Dispute storage d = _openDispute(disputeId, beastId, c);
        if (block.timestamp > d.responseDeadline) revert ResponseWindowClosed(d.responseDeadline);
        // INVARIANT P22: only the trainer, or whom it appointed, can put words into its mouth.
        if (msg.sender != c.trainer && msg.sender != defenderOf[c.trainer]) revert NotDefender(msg.sender, c.trainer);
        if (!_isMissing(d, Opening.SEGMENTS)) return;
        if (segments[SEGMENTS - 1] != c.payload.h128) revert WrongLastSegment(c.payload.h128, segments[SEGMENTS - 1]);
        d.segmentsHash = keccak256(abi.encode(segments));
        emit SegmentsOpened(disputeId, segments);
        uint256 pay = OpeningGas.SEGMENTS * _atLeastReference(OpeningGas.price());
        _accept(d, disputeId, beastId, c, Opening.SEGMENTS, block.timestamp, pay);
    }

    /// @inheritdoc IDisputeCourt
    function acceptOpenings(uint256 disputeId, uint256 beastId, Checkpoint calldata c) external {
        Dispute storage d = _openDispute(disputeId, beastId, c);
        if (!_acceptPublished(d, disputeId, beastId, c)) revert NothingToAccept(disputeId);
    }

    /// @dev Takes note of what the archives got in time. INVARIANT P45: an opening counts by the time of its publication,
    /// whenever somebody tells the court, and one after the deadline does not count.
    function _acceptPublished(
        Dispute storage d,
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c
    ) private returns (bool any) {
        if (_isMissing(d, Opening.STATE)) {
            any = _acceptPublication(d, disputeId, beastId, c, Opening.STATE, states.publicationOf(c.parent));
        }
        if (_isMissing(d, Opening.RECORDS)) {
            Publication memory p = _recordsOf(beastId, c);
            any = _acceptPublication(d, disputeId, beastId, c, Opening.RECORDS, p) || any;
        }
    }

    /// @dev Paid as dear as its own block was: nobody gains by noting it in another.
    function _acceptPublication(
        Dispute storage d,
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c,
        Opening opening,
        Publication memory p
    ) private returns (bool) {
        Economics memory e = seasons.economics(c.season);
        uint256 deadline = d.responseDeadline;
        uint256 openedAt = p.inTime(deadline - e.responseWindow, deadline, e.publicationAge);
        if (openedAt == 0) return false;
        _accept(d, disputeId, beastId, c, opening, openedAt, p.gasUsed * _atLeastReference(p.gasPrice));
        return true;
    }

    /// @dev Where calldata costs a data fee, the base fee is a part only of what a gas costs; the reference fee is the least
    /// that it costs there, so nobody earns by this.
    function _atLeastReference(uint256 price) private view returns (uint256) {
        return price > _referenceFee ? price : _referenceFee;
    }

    function _accept(
        Dispute storage d,
        uint256 disputeId,
        uint256 beastId,
        Checkpoint calldata c,
        Opening opening,
        uint256 openedAt,
        uint256 pay
    ) private {
        uint8 missing = d.missing & ~_bit(opening);
        d.missing = missing;
        (uint256 responseWindow, uint256 proofWindow) = seasons.disputeWindows(c.season);
        // The later of the filing and the last opening.
        uint256 start = d.responseDeadline - responseWindow;
        if (openedAt > start) start = openedAt;
        if (start > d.proofStart) d.proofStart = uint40(start);
        emit OpeningAccepted(disputeId, opening, missing);
        if (missing == 0) {
            // INVARIANT P23: the last opening, however late, starts a whole proof window.
            start = d.proofStart;
            d.status = DisputeStatus.OPENED;
            d.proofDeadline = uint40(start + proofWindow);
            emit ProofWindowOpened(disputeId, start + proofWindow / HEAD_START_DIVISOR, start + proofWindow);
        }
        vault.pay(disputeId, beastId, c.trainer, pay, ledger.stakeAt(c.season));
    }

    // --- verdicts ---------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeCourt
    function commit(bytes32 commitment) external {
        if (committedIn[commitment] != 0) revert AlreadyCommitted(commitment);
        committedIn[commitment] = block.number;
        emit Committed(msg.sender, commitment);
    }

    /// @inheritdoc IDisputeCourt
    function prove(
        ProofClaim calldata claim,
        bytes32[16] calldata segments,
        uint8 k,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses,
        bytes32 salt
    ) external {
        Dispute storage d = _upToDate(claim);
        if (_isMissing(d, Opening.SEGMENTS)) revert SegmentsMissing(claim.disputeId);
        if (_missedOpenings(d)) revert ResponseWindowClosed(d.responseDeadline);
        if (d.status == DisputeStatus.OPENED && block.timestamp > d.proofDeadline) {
            revert ProofWindowClosed(d.proofDeadline);
        }
        bytes32 actual = keccak256(abi.encode(segments));
        if (actual != d.segmentsHash) revert WrongSegments(d.segmentsHash, actual);
        if (k >= SEGMENTS) revert SegmentOutOfRange(k);
        // INVARIANT P24: a segment is judged by re-execution from the state that its own response names before it.
        bytes32 result =
            k == 0
                ? _runFromStart(claim, SEGMENT_STEPS, header, weights, witnesses)
                : referee.run(
                    claim.beastId,
                    claim.checkpoint,
                    segments[k - 1],
                    uint256(k) * SEGMENT_STEPS,
                    SEGMENT_STEPS,
                    header,
                    weights,
                    witnesses
                );
        if (result == segments[k]) revert SegmentCorrect(k);
        _uphold(d, claim, Conviction.SEGMENT, k, _proverOf(d, d.digest, k, result, salt), 0);
    }

    /// @inheritdoc IDisputeCourt
    function advance(
        ProofClaim calldata claim,
        uint8 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses,
        StateOpening calldata end,
        bytes32 salt
    ) external {
        Dispute storage d = _upToDate(claim);
        uint8 done = d.stepsDone;
        uint256 left = WINDOW_STEPS - done;
        if (steps == 0 || steps > left) revert StepsOutOfRange(left, steps);
        // INVARIANT P25: the state kept is always the true one: it starts at the parent and moves by re-execution.
        bytes32 result =
            done == 0
                ? _runFromStart(claim, steps, header, weights, witnesses)
                : referee.run(claim.beastId, claim.checkpoint, d.stateHash, done, steps, header, weights, witnesses);
        _advanced(d, claim.disputeId, steps, result, salt);
        bool convicts = steps == left && _judgeWindow(d, claim, result, end);
        // INVARIANT P46: after a missed opening a dispute ends by its timeout or by a conviction; nobody can prove the window
        // right, nor keep the dispute busy.
        if (!convicts && _missedOpenings(d)) revert ResponseWindowClosed(d.responseDeadline);
    }

    function _advanced(Dispute storage d, uint256 disputeId, uint8 steps, bytes32 result, bytes32 salt) private {
        uint8 done = d.stepsDone;
        bytes32 commitment = keccak256(abi.encode(msg.sender, d.digest, done, steps, result, salt));
        // INVARIANT P47: steps are paid to who committed to their result before it was in any mempool.
        bool counted = _isEarlier(committedIn[commitment], block.number);
        d.stepsDone = done + steps;
        d.stateHash = result;
        emit DisputeAdvanced(disputeId, done + steps, result, msg.sender, steps, counted);
        if (counted) vault.countSteps(disputeId, msg.sender, steps);
    }

    /// @dev The whole window has been re-executed: slash it, or prove it. Returns whether it is slashed.
    function _judgeWindow(
        Dispute storage d,
        ProofClaim calldata claim,
        bytes32 result,
        StateOpening calldata end
    ) private returns (bool) {
        Checkpoint calldata c = claim.checkpoint;
        uint8 counted = vault.countedSteps(claim.disputeId);
        if (result != c.payload.h128) {
            _uphold(d, claim, Conviction.ADVANCE, 0, address(0), counted);
            return true;
        }
        // INVARIANT P26: proven means that the payload is true too, not only its hash.
        _requireOpening(result, end.header, end.weightsRoot);
        if (_contradicts(claim.beastId, c, end.header)) {
            _uphold(d, claim, Conviction.HEADER, 0, address(0), counted);
            return true;
        }
        // Before the status changes: see P46.
        if (_missedOpenings(d)) revert ResponseWindowClosed(d.responseDeadline);
        d.status = DisputeStatus.PROVEN;
        emit DisputeProven(claim.disputeId, claim.beastId, c.index);
        ledger.closeDispute(d.digest, d.filer, BondOutcome.BURN_AND_PROVE, _stepPay(c, counted));
        vault.release(claim.disputeId, claim.beastId, c.trainer, d.filer, BondEnd.KEEP);
        return false;
    }

    /// @dev Most ENERGY that committed steps are paid out of the burning bond: their gas at the base fee, at the price of the
    /// sale; without a sale their part of the bond. So who disputes his own right window never gets back more than he burns.
    function _stepPay(Checkpoint calldata c, uint256 counted) private view returns (uint256) {
        Economics memory e = seasons.economics(c.season);
        if (e.energyPrice == 0) {
            return (uint256(c.payload.energyBurn) * e.disputeBondMultiple * counted) / WINDOW_STEPS;
        }
        return (counted * STEP_GAS * block.basefee * ENERGY_UNIT) / e.energyPrice;
    }

    /// @inheritdoc IDisputeCourt
    function challengeHeader(
        uint256 beastId,
        Checkpoint calldata c,
        Checkpoint calldata parent,
        StateHeader calldata header,
        bytes32 weightsRoot,
        bytes32 salt
    ) external {
        CheckpointStatus status = ledger.statusOf(beastId, c);
        if (status == CheckpointStatus.UNKNOWN_OR_VOID || status == CheckpointStatus.FINAL) {
            revert NotPending(beastId, c.index);
        }
        _requireOpening(c.payload.h128, header, weightsRoot);
        if (!_contradicts(beastId, c, header) && header.parent == _parentHash(beastId, c)) revert NoContradiction();
        bytes32 digest = ledger.digestOf(beastId, c);
        uint256 disputeId = ledger.standingOf(digest).disputeId;
        // Not h128, which everybody can commit to: only who knows its preimage could have committed to this.
        bytes32 opened = keccak256(abi.encode(header, weightsRoot));
        address prover;
        address filer;
        if (disputeId != 0) {
            Dispute storage d = _disputes[disputeId];
            filer = d.filer;
            // The head start runs from the last opening, also where nobody has noted it yet.
            _acceptPublished(d, disputeId, beastId, c);
            prover = _proverOf(d, digest, HEADER, opened, salt);
            d.status = DisputeStatus.UPHELD;
        } else {
            if (_isEarlier(_commitmentOf(digest, HEADER, opened, salt), block.number)) prover = msg.sender;
            filer = prover;
        }
        emit DisputeUpheld(disputeId, beastId, c.index, Conviction.HEADER, 0, filer, prover);
        ledger.slash(beastId, c, parent, Payees(disputeId, filer, prover, 0, CHEAP_GAS));
        if (disputeId != 0) vault.release(disputeId, beastId, c.trainer, filer, BondEnd.RETURN);
    }

    /// @inheritdoc IDisputeCourt
    function claimTimeout(ProofClaim calldata claim) external {
        Dispute storage d = _upToDate(claim);
        // INVARIANT P27: silence loses, but never before its deadline, and never against a publication that was in time.
        if (block.timestamp <= d.responseDeadline) revert ResponseWindowOpen(d.responseDeadline);
        if (d.missing == 0) revert NothingMissing(claim.disputeId);
        _uphold(d, claim, Conviction.TIMEOUT, 0, d.filer, 0);
    }

    /// @inheritdoc IDisputeCourt
    function dismiss(uint256 disputeId, uint256 beastId, Checkpoint calldata c) external {
        Dispute storage d = _dispute(disputeId, beastId, c);
        if (!ledger.isLive(beastId, c)) {
            // INVARIANT P28: nobody loses a bond over a checkpoint that fell with its ancestor.
            d.status = DisputeStatus.VOIDED;
            emit DisputeVoided(disputeId, beastId, c.index);
            ledger.closeDispute(d.digest, d.filer, BondOutcome.REFUND, 0);
            vault.release(disputeId, beastId, c.trainer, d.filer, BondEnd.VOID);
            return;
        }
        _acceptPublished(d, disputeId, beastId, c);
        // INVARIANT P29: a dispute with a missing opening is never dismissed, so `dismiss` and `claimTimeout` are never both
        // open.
        if (d.status != DisputeStatus.OPENED) revert OpeningsMissing(disputeId, d.missing);
        if (block.timestamp <= d.proofDeadline) revert ProofWindowOpen(d.proofDeadline);
        d.status = DisputeStatus.DISMISSED;
        emit DisputeDismissed(disputeId, beastId, c.index);
        ledger.closeDispute(d.digest, d.filer, BondOutcome.BURN, 0);
        vault.release(disputeId, beastId, c.trainer, d.filer, BondEnd.KEEP);
    }

    function _uphold(
        Dispute storage d,
        ProofClaim calldata claim,
        Conviction how,
        uint8 segment,
        address prover,
        uint8 steps
    ) private {
        address filer = d.filer;
        d.status = DisputeStatus.UPHELD;
        emit DisputeUpheld(claim.disputeId, claim.beastId, claim.checkpoint.index, how, segment, filer, prover);
        uint32 gasCap = how == Conviction.TIMEOUT || how == Conviction.HEADER ? CHEAP_GAS : PROOF_GAS;
        Payees memory payees = Payees(claim.disputeId, filer, prover, steps, gasCap);
        ledger.slash(claim.beastId, claim.checkpoint, claim.parent, payees);
        vault.release(claim.disputeId, claim.beastId, claim.checkpoint.trainer, filer, BondEnd.RETURN);
    }

    // --- who is paid for a proof ------------------------------------------------------------------------------

    /// @dev INVARIANT P30: a proof pays its filer during the head start, whoever sends it, and afterwards only who committed to
    /// it in an earlier block: a copy from the mempool earns nothing. A commitment older than the filing beats the head
    /// start, so a filing cannot be put in front of a proof that needs none.
    function _proverOf(
        Dispute storage d,
        bytes32 digest,
        uint8 k,
        bytes32 result,
        bytes32 salt
    ) private view returns (address) {
        uint256 committed = _commitmentOf(digest, k, result, salt);
        if (_isEarlier(committed, d.filedIn)) return msg.sender;
        if (d.status == DisputeStatus.FILED) return d.filer;
        // Only now: before the last opening there is no deadline to reckon from.
        uint256 window = d.proofDeadline - d.proofStart;
        if (block.timestamp <= d.proofStart + window / HEAD_START_DIVISOR) return d.filer;
        return _isEarlier(committed, block.number) ? msg.sender : address(0);
    }

    function _commitmentOf(bytes32 digest, uint8 k, bytes32 result, bytes32 salt) private view returns (uint256) {
        return committedIn[keccak256(abi.encode(msg.sender, digest, k, result, salt))];
    }

    function _isEarlier(uint256 blockNumber, uint256 than) private pure returns (bool) {
        return blockNumber != 0 && blockNumber < than;
    }

    // --- views ------------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeCourt
    function dispute(uint256 disputeId) external view returns (Dispute memory) {
        return _disputes[disputeId];
    }

    /// @inheritdoc IDisputeCourt
    function quote(
        uint256 beastId,
        Checkpoint calldata c
    ) external view returns (uint256 bond, uint256 openingBond, uint8 missing) {
        Economics memory e = seasons.economics(c.season);
        bond = e.disputeBondMultiple * uint256(c.payload.energyBurn);
        missing = _missing(beastId, c, e);
        openingBond = vault.quote(beastId, OpeningGas.owed(missing, _recordsLength(beastId, missing)));
    }

    // --- re-execution -----------------------------------------------------------------------------------------

    function _runFromStart(
        ProofClaim calldata claim,
        uint256 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) private view returns (bytes32) {
        return referee.runFromStart(claim.beastId, claim.checkpoint, steps, header, weights, witnesses);
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
        return c.index == 0 ? states.referee().genesisHash(beastId, c.parent) : c.parent;
    }

    function _requireOpening(bytes32 expected, StateHeader calldata header, bytes32 weightsRoot) private view {
        bytes32 actual = states.referee().hashState(header, weightsRoot);
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
        if (d.status > DisputeStatus.OPENED) revert DisputeEnded(disputeId);
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

    /// @dev The same, once publications have been noted that nobody told the court of.
    function _upToDate(ProofClaim calldata claim) private returns (Dispute storage d) {
        d = _openDispute(claim.disputeId, claim.beastId, claim.checkpoint);
        _acceptPublished(d, claim.disputeId, claim.beastId, claim.checkpoint);
    }

    function _missedOpenings(Dispute storage d) private view returns (bool) {
        return d.status == DisputeStatus.FILED && block.timestamp > d.responseDeadline;
    }

    function _isMissing(Dispute storage d, Opening opening) private view returns (bool) {
        return d.missing & _bit(opening) != 0;
    }

    function _bit(Opening opening) private pure returns (uint8) {
        return uint8(1 << uint8(opening));
    }

    function _recordsOf(uint256 beastId, Checkpoint calldata c) private view returns (Publication memory p) {
        (, p) = records.recordsOf(beastId, c.index);
    }

    function _recordsLength(uint256 beastId, uint8 missing) private view returns (uint256) {
        if (missing & _bit(Opening.RECORDS) == 0) return 0;
        return ledger.beasts().commitmentsOf(beastId).datasetLength;
    }
}
