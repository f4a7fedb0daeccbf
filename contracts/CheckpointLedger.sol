// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IArena} from "./interfaces/IArena.sol";
import {IBeasts} from "./interfaces/IBeasts.sol";
import {ICheckpointLedger} from "./interfaces/ICheckpointLedger.sol";
import {IDisputeCourt} from "./interfaces/IDisputeCourt.sol";
import {IDisputeVault} from "./interfaces/IDisputeVault.sol";
import {IEnergy} from "./interfaces/IEnergy.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {EnergyEscrow} from "./EnergyEscrow.sol";
import {Heads, PackedHead} from "./libraries/Heads.sol";
import {Schedules} from "./libraries/Schedules.sol";
import {Slots} from "./libraries/Slots.sol";
import {Birth} from "./types/BeastTypes.sol";
import {
    BondOutcome,
    Checkpoint,
    CheckpointPayload,
    CheckpointStatus,
    EpochRecord,
    Head,
    Stake,
    Standing
} from "./types/CheckpointTypes.sol";
import {Payees} from "./types/DisputeTypes.sol";
import {Economics, Schedule} from "./types/SeasonTypes.sol";

/// @title Checkpoints: submission, stakes, epochs, finality, rollback
/// @dev The interface carries the rest of the documentation.
contract CheckpointLedger is ICheckpointLedger, EnergyEscrow {
    using Heads for PackedHead;
    using Schedules for Schedule;

    uint8 private constant CURRICULUM = 0;
    uint8 private constant BATTLE = 2;
    uint8 private constant PRIVATE = 3;
    /// @dev 128 steps of at most 4,095
    uint32 private constant MAX_WINDOW_LOSS = 524_160;
    uint256 private constant MAX_BPS = 10_000;

    /// @dev A season's prices, which never change: copied here at their first use, because every submission reads them.
    struct Prices {
        uint96 baseCost;
        uint96 growthCost;
        uint8 bondMultiple;
        uint32 stakeGas;
    }

    /// @inheritdoc ICheckpointLedger
    IBeasts public immutable beasts;
    /// @inheritdoc ICheckpointLedger
    ISeasonRegistry public immutable seasons;
    uint256 private immutable _referenceFee;
    address private immutable _deployer;

    mapping(uint256 beastId => PackedHead) private _heads;
    mapping(uint256 beastId => mapping(uint32 index => bytes32 digest)) private _digests;
    mapping(uint256 beastId => mapping(uint32 epoch => EpochRecord)) private _epochs;
    mapping(bytes32 digest => Standing) private _standings;
    mapping(uint16 season => Prices) private _prices;
    mapping(uint256 beastId => mapping(address trainer => Stake)) private _stakes;
    /// @inheritdoc ICheckpointLedger
    mapping(uint256 beastId => uint256) public burnedOf;
    /// @inheritdoc ICheckpointLedger
    IDisputeCourt public court;
    /// @inheritdoc ICheckpointLedger
    IArena public arena;
    IDisputeVault private _vault;

    constructor(IEnergy energy_, IBeasts beasts_, ISeasonRegistry seasons_) EnergyEscrow(energy_) {
        beasts = beasts_;
        seasons = seasons_;
        _referenceFee = seasons_.referenceFee();
        _deployer = msg.sender;
    }

    /// @inheritdoc ICheckpointLedger
    function bind(IDisputeCourt court_, IArena arena_) external {
        // INVARIANT P6: the ledger obeys one court and trusts the matches of one arena, which its deployer named once
        // and which are its own. Whoever looks at a deployment sees both for ever.
        if (msg.sender != _deployer) revert OnlyDeployer(msg.sender);
        if (address(court) != address(0)) revert AlreadyBound(address(court), address(arena));
        if (address(court_).code.length == 0 || address(court_.ledger()) != address(this)) {
            revert NotOfThisLedger(address(court_));
        }
        if (address(arena_).code.length == 0 || address(arena_.ledger()) != address(this)) {
            revert NotOfThisLedger(address(arena_));
        }
        IDisputeVault vault = court_.vault();
        if (address(vault.ledger()) != address(this)) revert NotOfThisLedger(address(vault));
        (court, arena, _vault) = (court_, arena_, vault);
        emit Bound(address(court_), address(arena_));
    }

    modifier onlyCourt() {
        if (msg.sender != address(court)) revert OnlyCourt(msg.sender);
        _;
    }

    // --- training ---------------------------------------------------------------------------------------------

    /// @inheritdoc ICheckpointLedger
    function submit(
        uint256 beastId,
        bytes32 expectedParent,
        bytes32 expectedEpochSeed,
        CheckpointPayload calldata payload,
        bool acceptForeignParent
    ) external {
        Head memory h = _openHead(beastId, expectedParent, expectedEpochSeed, acceptForeignParent);
        uint256 locked = h.lockedSum;
        _append(beastId, h, payload);
        _closeHead(beastId, h, locked);
    }

    /// @inheritdoc ICheckpointLedger
    function submitBatch(
        uint256 beastId,
        bytes32 expectedParent,
        bytes32 expectedEpochSeed,
        CheckpointPayload[] calldata payloads,
        bool acceptForeignParent
    ) external {
        if (payloads.length == 0) revert EmptyBatch();
        Head memory h = _openHead(beastId, expectedParent, expectedEpochSeed, acceptForeignParent);
        // INVARIANT P8: a window is trained with a seed that its trainer knew, so no batch crosses an epoch.
        uint256 left = h.epochEnd - h.headCount;
        if (payloads.length > left) revert BatchCrossesEpoch(left, payloads.length);
        uint256 locked = h.lockedSum;
        for (uint256 i = 0; i < payloads.length; ++i) {
            _append(beastId, h, payloads[i]);
        }
        _closeHead(beastId, h, locked);
    }

    /// @dev Checks who submits and onto what.
    function _openHead(
        uint256 beastId,
        bytes32 expectedParent,
        bytes32 expectedEpochSeed,
        bool acceptForeignParent
    ) private returns (Head memory h) {
        if (!beasts.isTrainer(beastId, msg.sender)) revert NotTrainer(beastId, msg.sender);
        h = head(beastId);
        // INVARIANT P7: a submission lands only on the head, seed and season it was trained on, whatever a reorg did.
        if (h.h128 != expectedParent) revert StaleParent(h.h128, expectedParent);
        if (h.epochSeedTag != _tag(expectedEpochSeed)) revert WrongEpochSeed(h.epochSeedTag, expectedEpochSeed);
        // INVARIANT P48: nobody's window stands on another trainer's pending one unless it said so: who sold a beast could
        // have it slashed, and everything built on it, by keeping silent.
        if (h.headCount > h.finalCount && h.trainerTag != _trainerTag(msg.sender) && !acceptForeignParent) {
            revert ForeignPendingParent(h.headCount - 1);
        }
        _requireStake(beastId, h.season);
    }

    /// @dev INVARIANT P49: whoever submits has a stake that pays the gas of convicting it at the base fee of this block, and
    /// that cannot leave before its windows are beyond dispute.
    function _requireStake(uint256 beastId, uint16 season) private {
        Stake memory s = _stakes[beastId][msg.sender];
        if (s.withdrawableAt != 0) revert StakeIsLeaving(beastId, msg.sender);
        uint256 required = _stakeFor(_pricesOf(season).stakeGas);
        if (s.amount < required) revert StakeTooSmall(required, s.amount);
    }

    function _stakeFor(uint256 stakeGas) private view returns (uint256) {
        return stakeGas * (block.basefee > _referenceFee ? block.basefee : _referenceFee);
    }

    /// @dev Locks what the submission added to the beast's locked sum, starts the next epoch if one is complete.
    function _closeHead(uint256 beastId, Head memory h, uint256 lockedBefore) private {
        _debit(msg.sender, h.lockedSum - lockedBefore);
        if (h.headCount == h.epochEnd) _startEpoch(beastId, h);
        _heads[beastId].store(h);
    }

    /// @dev Checks one payload against the head, stores its digest, and moves the head (in memory) onto it.
    function _append(uint256 beastId, Head memory h, CheckpointPayload calldata p) private {
        _checkPayload(beastId, h, p);
        (uint256 energyBurn, uint256 bond) = _price(_pricesOf(h.season), h.activeMask, p.activeMask);
        if (p.energyBurn != energyBurn) revert WrongPrice(energyBurn, p.energyBurn);
        uint128 lockedSum;
        // INVARIANT P9: lockedSum is the running total of what the beast's live checkpoints locked. It cannot overflow: the
        // registry bounds prices so that 2^32 windows and their bonds stay below 2^128 (see Slots.windowPrice).
        unchecked {
            lockedSum = h.lockedSum + uint128(energyBurn + bond);
        }

        Checkpoint memory c = Checkpoint({
            index: h.headCount,
            generation: h.generation,
            parent: h.h128,
            payload: p,
            season: h.season,
            trainer: msg.sender,
            submittedAt: uint64(block.timestamp),
            bond: uint128(bond),
            lockedSum: lockedSum
        });
        _record(beastId, c, h.comparable && h.source == p.source && p.windowLoss < h.windowLoss);

        h.h128 = p.h128;
        h.headCount = c.index + 1;
        h.activeMask = p.activeMask;
        h.windowLoss = p.windowLoss;
        h.source = p.source;
        h.comparable = true;
        h.lockedSum = c.lockedSum;
        h.trainerTag = _trainerTag(msg.sender);
    }

    /// @dev Stores the digest of a checkpoint and emits CheckpointSubmitted. One encoding serves both: chain, ledger and
    /// beast, then the 17 words of the record, then the flag. The first 20 words are hashed, the last 18 are the event's.
    function _record(uint256 beastId, Checkpoint memory c, bool lossDrop) private {
        bytes memory encoded = abi.encode(block.chainid, address(this), beastId, c, lossDrop);
        bytes32 topic = CheckpointSubmitted.selector;
        uint32 index = c.index;
        bytes32 digest;
        assembly ("memory-safe") {
            digest := keccak256(add(encoded, 0x20), 0x280)
            log3(add(encoded, 0x80), 0x240, topic, beastId, index)
        }
        _digests[beastId][index] = digest;
    }

    /// @dev INVARIANT P10: every field of a payload that the ledger can know is checked when it is submitted.
    function _checkPayload(uint256 beastId, Head memory h, CheckpointPayload calldata p) private view {
        if (p.epoch != h.epoch) revert WrongEpoch(h.epoch, p.epoch);
        uint32 step;
        unchecked {
            step = (h.headCount + 1) * uint32(Slots.WINDOW_STEPS);
        }
        if (p.globalStep != step) revert WrongStep(step, p.globalStep);
        if (p.lrShift != h.lrShift) revert WrongLrShift(h.lrShift, p.lrShift);
        if (p.activeMask & h.activeMask != h.activeMask) revert MaskShrinks(h.activeMask, p.activeMask);
        if (p.windowLoss > MAX_WINDOW_LOSS) revert LossTooLarge(MAX_WINDOW_LOSS, p.windowLoss);
        if (p.source >= BATTLE) _checkSource(beastId, h.season, p);
        else if (p.sourceId != 0) revert UnexpectedSourceId(p.sourceId);
    }

    /// @dev The sources whose positions are not drawn but read: of a match, or of a private dataset.
    function _checkSource(uint256 beastId, uint16 season, CheckpointPayload calldata p) private view {
        // INVARIANT P34: a BATTLE window names a match whose log is public and can change no more.
        if (p.source == BATTLE) return _requireFinalMatch(season, p.sourceId);
        if (p.source > PRIVATE) revert UnknownSource(p.source);
        if (p.sourceId != 0) revert UnexpectedSourceId(p.sourceId);
        if (beasts.commitmentsOf(beastId).cDataset == 0) revert NoPrivateDataset(beastId);
    }

    /// @dev Its log was published with its record; nodes serve young logs only.
    function _requireFinalMatch(uint16 season, uint32 matchId) private view {
        try arena.finalLog(matchId) returns (bytes32, uint32, uint40 finalAt) {
            uint256 usableUntil = finalAt + uint256(seasons.economics(season).publicationAge);
            if (block.timestamp > usableUntil) revert MatchTooOld(matchId, usableUntil);
        } catch {
            revert NoRecordedMatch(matchId);
        }
    }

    function _startEpoch(uint256 beastId, Head memory h) private {
        uint32 epoch = h.epoch + 1;
        EpochRecord memory e = EpochRecord({
            epochSeed: blockhash(block.number - 1),
            season: seasons.effectiveSeason(),
            startIndex: h.headCount
        });
        _epochs[beastId][epoch] = e;
        emit EpochStarted(beastId, epoch, e.epochSeed, e.season, e.startIndex);
        h.comparable = _comparable(h.season, h.epoch, e.season, epoch);
        _enterEpoch(h, epoch, e);
    }

    /// @dev Sets the head's fields that belong to the epoch of the next window.
    function _enterEpoch(Head memory h, uint32 epoch, EpochRecord memory e) private view {
        Schedule memory schedule = seasons.schedule(e.season);
        h.epoch = epoch;
        h.epochEnd = e.startIndex + schedule.epochWindows;
        h.season = e.season;
        h.lrShift = schedule.lrShift(epoch);
        h.epochSeedTag = _tag(e.epochSeed);
    }

    // --- finality ---------------------------------------------------------------------------------------------

    /// @inheritdoc ICheckpointLedger
    function finalize(uint256 beastId, Checkpoint[] calldata checkpoints) external {
        if (checkpoints.length == 0) revert EmptyBatch();
        PackedHead storage h = _heads[beastId];
        uint32 next = h.finalCount();
        uint256 burned = 0;
        for (uint256 i = 0; i < checkpoints.length; ++i) {
            Checkpoint calldata c = checkpoints[i];
            // INVARIANT P11: checkpoints become final in order, undisputed, and aged or proven; never twice.
            if (c.index != next) revert OutOfOrder(next, c.index);
            _requireFinalizable(beastId, c);
            burned += c.payload.energyBurn;
            _credit(c.trainer, c.bond);
            emit CheckpointFinalized(beastId, next, c.payload.h128);
            ++next;
        }
        h.setFinalCount(next);
        burnedOf[beastId] += burned;
        energy.burn(burned);
    }

    function _requireFinalizable(uint256 beastId, Checkpoint calldata c) private view {
        (bytes32 digest, bool live) = _find(beastId, c);
        if (!live) revert NotLive(beastId, c.index);
        Standing memory s = _standings[digest];
        if (s.disputeId != 0) revert DisputeIsOpen(s.disputeId);
        if (s.proven) return;
        uint256 endsAt = c.submittedAt + seasons.challengePeriod(c.season);
        if (block.timestamp < endsAt) revert ChallengePeriodOpen(c.index, endsAt);
    }

    // --- stakes -----------------------------------------------------------------------------------------------

    /// @inheritdoc ICheckpointLedger
    function stake(uint256 beastId) external payable {
        stakeFor(beastId, msg.sender);
    }

    /// @inheritdoc ICheckpointLedger
    function stakeFor(uint256 beastId, address trainer) public payable {
        beasts.birthOf(beastId);
        // INVARIANT P6, continued: no stake before there is a court, hence no window that nobody could have disputed: a deployer
        // that takes its time would make its own final.
        if (address(_vault) == address(0)) revert NotBound();
        // One reward at a time is held per beast and trainer, which bounds what a conviction has to look at.
        if (_vault.holdsReward(beastId, trainer)) revert StakeRewardHeld(beastId, trainer);
        Stake storage s = _stakes[beastId][trainer];
        uint256 total = s.amount + msg.value;
        if (total > type(uint128).max) revert StakeTooLarge(type(uint128).max, total);
        s.amount = uint128(total);
        emit Staked(beastId, trainer, msg.value, total);
    }

    /// @inheritdoc ICheckpointLedger
    function announceWithdrawal(uint256 beastId) external {
        Stake storage s = _stakes[beastId][msg.sender];
        if (s.amount == 0) revert NoStake(beastId, msg.sender);
        if (s.withdrawableAt != 0) revert StakeIsLeaving(beastId, msg.sender);
        Head memory h = head(beastId);
        Economics memory e = seasons.economics(h.season);
        s.barredAt = h.headCount;
        s.withdrawableAt = uint64(block.timestamp + e.challengePeriod + e.responseWindow + e.proofWindow);
        emit StakeWithdrawalAnnounced(beastId, msg.sender, s.barredAt, s.withdrawableAt);
    }

    /// @inheritdoc ICheckpointLedger
    function cancelWithdrawal(uint256 beastId) external {
        Stake storage s = _stakes[beastId][msg.sender];
        if (s.withdrawableAt == 0) revert WithdrawalNotAnnounced(beastId, msg.sender);
        (s.barredAt, s.withdrawableAt) = (0, 0);
        emit StakeWithdrawalCancelled(beastId, msg.sender);
    }

    /// @inheritdoc ICheckpointLedger
    function withdrawStake(uint256 beastId, address payable to) external {
        Stake memory s = _stakes[beastId][msg.sender];
        if (s.withdrawableAt == 0) revert WithdrawalNotAnnounced(beastId, msg.sender);
        // INVARIANT P50: a stake leaves once nothing that it answers for can fall. The trainer was barred since the
        // announcement, so all its windows stand below the head count of then; after a slashing, below that of now.
        Head memory h = head(beastId);
        uint32 needed = s.barredAt < h.headCount ? s.barredAt : h.headCount;
        if (block.timestamp < s.withdrawableAt || h.finalCount < needed) {
            revert StakeStillNeeded(s.withdrawableAt, h.finalCount, needed);
        }
        // Nor while disputes over windows that fell with an ancestor are still open: a later stake would repay what was paid
        // for their openings before it rewards whoever convicts. Anybody can end them with `dismiss`.
        uint256 debt = _vault.debtOf(beastId, msg.sender);
        if (debt != 0) revert OpeningDebtsOpen(beastId, msg.sender, debt);
        delete _stakes[beastId][msg.sender];
        emit StakeWithdrawn(beastId, msg.sender, to, s.amount);
        (bool sent, ) = to.call{value: s.amount}("");
        if (!sent) revert TransferRefused(to);
    }

    /// @inheritdoc ICheckpointLedger
    function moveEscrow(address to, uint256 amount) external {
        _debit(msg.sender, amount);
        _credit(to, amount);
        emit EscrowMoved(msg.sender, to, amount);
    }

    // --- for the court only -----------------------------------------------------------------------------------

    /// @inheritdoc ICheckpointLedger
    function openDispute(
        uint256 beastId,
        Checkpoint calldata c,
        address filer,
        uint64 disputeId,
        uint128 bond
    ) external onlyCourt returns (bytes32 digest) {
        digest = _requirePending(beastId, c);
        // INVARIANT P51: a dispute is filed within the challenge period only, so finality comes at the latest that period and
        // one whole dispute after the submission.
        uint256 endedAt = c.submittedAt + seasons.challengePeriod(c.season);
        if (block.timestamp >= endedAt) revert ChallengePeriodOver(c.index, endedAt);
        // INVARIANT P12: at most one open dispute per checkpoint, none over a proven one.
        Standing memory s = _standings[digest];
        if (s.disputeId != 0) revert DisputeIsOpen(s.disputeId);
        if (s.proven) revert AlreadyProven(digest);
        _debit(filer, bond);
        _standings[digest] = Standing(disputeId, bond, false);
        emit DisputeBondLocked(digest, disputeId, filer, bond);
    }

    /// @inheritdoc ICheckpointLedger
    function closeDispute(bytes32 digest, address filer, BondOutcome outcome, uint256 maxStepPay) external onlyCourt {
        if (_standings[digest].disputeId == 0) revert NoOpenDispute(digest);
        _releaseBond(digest, filer, outcome, maxStepPay);
    }

    /// @inheritdoc ICheckpointLedger
    function slash(
        uint256 beastId,
        Checkpoint calldata c,
        Checkpoint calldata parent,
        Payees calldata payees
    ) external onlyCourt {
        bytes32 digest = _requirePending(beastId, c);
        if (_standings[digest].disputeId != 0) _releaseBond(digest, payees.filer, BondOutcome.REFUND, 0);

        Economics memory e = seasons.economics(c.season);
        (uint256 filing, uint256 proof) = _rewards(e, c, payees);
        _slashEnergy(beastId, c, parent, payees, filing, proof);
        // The stake leaves the books before it leaves the contract; the vault shares it.
        uint256 amount = _stakes[beastId][c.trainer].amount;
        delete _stakes[beastId][c.trainer];
        _vault.takeStake{value: amount}(beastId, c.trainer, c.index, payees, e.filingBps, e.proofBps);
    }

    function _slashEnergy(
        uint256 beastId,
        Checkpoint calldata c,
        Checkpoint calldata parent,
        Payees calldata payees,
        uint256 filing,
        uint256 proof
    ) private {
        Head memory h = _heads[beastId].load();
        // INVARIANT P13: all that the voided checkpoints locked leaves the ledger's books in this one subtraction.
        uint256 burned = h.lockedSum - (c.lockedSum - c.payload.energyBurn - c.bond) - filing - proof;
        _rollback(beastId, h, c, parent);
        _credit(payees.filer, filing);
        if (payees.prover != address(0)) _credit(payees.prover, proof);
        else _payForSteps(payees.disputeId, proof);
        emit CheckpointSlashed(
            beastId,
            c.index,
            c.payload.h128,
            h.headCount,
            h.generation,
            burned,
            payees.filer,
            filing,
            payees.prover,
            proof
        );
        energy.burn(burned);
    }

    /// @dev The offender's lock alone is shared; rounding, and a share that nobody earned, falls to the burn.
    function _rewards(
        Economics memory e,
        Checkpoint calldata c,
        Payees calldata payees
    ) private pure returns (uint256 filing, uint256 proof) {
        uint256 locked = uint256(c.payload.energyBurn) + c.bond;
        if (payees.filer != address(0)) filing = (locked * e.filingBps) / MAX_BPS;
        proof = (locked * e.proofBps) / MAX_BPS;
        if (payees.prover == address(0)) proof = (proof * payees.steps) / Slots.WINDOW_STEPS;
    }

    /// @dev ENERGY for a dispute's committed steps: into the vault's escrow, whence each account claims its part.
    function _payForSteps(uint256 disputeId, uint256 amount) private {
        if (amount == 0) return;
        _credit(address(_vault), amount);
        _vault.fillEnergy(disputeId, amount);
    }

    /// @dev Puts the head back to where `c` was submitted onto.
    function _rollback(uint256 beastId, Head memory h, Checkpoint calldata c, Checkpoint calldata parent) private {
        h.headCount = c.index;
        h.h128 = c.parent;
        h.lockedSum = c.lockedSum - c.payload.energyBurn - c.bond;
        // INVARIANT P14: a generation number per slashing, so that no digest is ever live twice.
        h.generation += 1;
        if (c.index == 0) {
            h.activeMask = Slots.genesisMask(c.parent);
            h.windowLoss = 0;
            h.source = CURRICULUM;
            h.comparable = false;
            h.trainerTag = 0;
        } else {
            if (_digests[beastId][c.index - 1] != _digest(beastId, parent)) revert WrongParentRecord(c.index);
            h.activeMask = parent.payload.activeMask;
            h.windowLoss = parent.payload.windowLoss;
            h.source = parent.payload.source;
            h.trainerTag = _trainerTag(parent.trainer);
            h.comparable = _comparable(parent.season, parent.payload.epoch, c.season, c.payload.epoch);
        }
        _enterEpoch(h, c.payload.epoch, epochOf(beastId, c.payload.epoch));
        _heads[beastId].store(h);
    }

    function _releaseBond(bytes32 digest, address filer, BondOutcome outcome, uint256 maxStepPay) private {
        Standing memory s = _standings[digest];
        _standings[digest] = Standing(0, 0, outcome == BondOutcome.BURN_AND_PROVE);
        uint256 stepPay = s.bond < maxStepPay ? s.bond : maxStepPay;
        emit DisputeBondReleased(digest, s.disputeId, filer, s.bond, outcome, stepPay);
        if (outcome == BondOutcome.REFUND) {
            _credit(filer, s.bond);
        } else {
            _payForSteps(s.disputeId, stepPay);
            energy.burn(s.bond - stepPay);
        }
    }

    // --- views ------------------------------------------------------------------------------------------------

    /// @inheritdoc ICheckpointLedger
    function stakeOf(uint256 beastId, address trainer) external view returns (Stake memory) {
        return _stakes[beastId][trainer];
    }

    /// @inheritdoc ICheckpointLedger
    function requiredStake(uint256 beastId) external view returns (uint256) {
        return stakeAt(head(beastId).season);
    }

    /// @inheritdoc ICheckpointLedger
    function stakeAt(uint16 season) public view returns (uint256) {
        return _stakeFor(_fetchPrices(season).stakeGas);
    }

    /// @inheritdoc ICheckpointLedger
    function head(uint256 beastId) public view returns (Head memory h) {
        h = _heads[beastId].load();
        if (h.epochEnd != 0) return h;
        Birth memory birth = beasts.birthOf(beastId);
        h.h128 = birth.dna;
        h.activeMask = Slots.genesisMask(birth.dna);
        _enterEpoch(h, 0, EpochRecord(birth.epochSeed, birth.season, 0));
    }

    /// @inheritdoc ICheckpointLedger
    function epochOf(uint256 beastId, uint32 epoch) public view returns (EpochRecord memory e) {
        if (epoch == 0) {
            Birth memory birth = beasts.birthOf(beastId);
            return EpochRecord(birth.epochSeed, birth.season, 0);
        }
        e = _epochs[beastId][epoch];
        uint32 current = head(beastId).epoch;
        if (epoch > current) revert EpochNotStarted(current, epoch);
    }

    /// @inheritdoc ICheckpointLedger
    function quote(uint256 beastId, uint8 mask) external view returns (uint128 energyBurn, uint128 bond) {
        Head memory h = head(beastId);
        if (mask & h.activeMask != h.activeMask) revert MaskShrinks(h.activeMask, mask);
        (uint256 price, uint256 trainerBond) = _price(_fetchPrices(h.season), h.activeMask, mask);
        return (uint128(price), uint128(trainerBond));
    }

    /// @inheritdoc ICheckpointLedger
    function digestOf(uint256 beastId, Checkpoint calldata c) external view returns (bytes32) {
        return _digest(beastId, c);
    }

    /// @inheritdoc ICheckpointLedger
    function isLive(uint256 beastId, Checkpoint calldata c) external view returns (bool live) {
        (, live) = _find(beastId, c);
    }

    /// @inheritdoc ICheckpointLedger
    function statusOf(uint256 beastId, Checkpoint calldata c) external view returns (CheckpointStatus) {
        (bytes32 digest, bool live) = _find(beastId, c);
        if (!live) return CheckpointStatus.UNKNOWN_OR_VOID;
        if (c.index < _heads[beastId].finalCount()) return CheckpointStatus.FINAL;
        Standing memory s = _standings[digest];
        if (s.disputeId != 0) return CheckpointStatus.DISPUTED;
        return s.proven ? CheckpointStatus.PROVEN : CheckpointStatus.PENDING;
    }

    /// @inheritdoc ICheckpointLedger
    function standingOf(bytes32 digest) external view returns (Standing memory) {
        return _standings[digest];
    }

    // --- small things -----------------------------------------------------------------------------------------

    function _pricesOf(uint16 season) private returns (Prices memory prices) {
        prices = _prices[season];
        if (prices.baseCost != 0) return prices;
        prices = _fetchPrices(season);
        _prices[season] = prices;
    }

    function _fetchPrices(uint16 season) private view returns (Prices memory prices) {
        (prices.baseCost, prices.growthCost, prices.bondMultiple, prices.stakeGas) = seasons.pricing(season);
    }

    function _price(
        Prices memory prices,
        uint256 parentMask,
        uint256 mask
    ) private pure returns (uint256 energyBurn, uint256 bond) {
        energyBurn = Slots.windowPrice(prices.baseCost, prices.growthCost, parentMask, mask);
        bond = energyBurn * prices.bondMultiple;
    }

    /// @dev The loss-drop flag compares windows of one season with the same unlocked heads (docs/spec, protocol §5).
    function _comparable(uint16 season, uint32 epoch, uint16 nextSeason, uint32 nextEpoch) private view returns (bool) {
        if (season != nextSeason) return false;
        if (epoch == nextEpoch) return true;
        Schedule memory schedule = seasons.schedule(season);
        return schedule.heads(epoch) == schedule.heads(nextEpoch);
    }

    function _requirePending(uint256 beastId, Checkpoint calldata c) private view returns (bytes32 digest) {
        bool live;
        (digest, live) = _find(beastId, c);
        if (!live) revert NotLive(beastId, c.index);
        if (c.index < _heads[beastId].finalCount()) revert AlreadyFinal(beastId, c.index);
    }

    /// @dev INVARIANT P15: only the exact record stored at an index below the head's count is live.
    function _find(uint256 beastId, Checkpoint calldata c) private view returns (bytes32 digest, bool live) {
        digest = _digest(beastId, c);
        live = c.index < _heads[beastId].headCount() && _digests[beastId][c.index] == digest;
    }

    function _digest(uint256 beastId, Checkpoint memory c) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), beastId, c));
    }

    function _tag(bytes32 epochSeed) private pure returns (uint64) {
        return uint64(uint256(epochSeed));
    }

    /// @dev 64 bits of an address fit the head. Who grinds a collision gains nothing: the tag protects its own next window.
    function _trainerTag(address trainer) private pure returns (uint64) {
        return uint64(uint160(trainer));
    }
}
