// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    BondOutcome,
    Checkpoint,
    CheckpointPayload,
    CheckpointStatus,
    EpochRecord,
    Head,
    Stake,
    Standing
} from "../types/CheckpointTypes.sol";
import {Payees} from "../types/DisputeTypes.sol";
import {IArena} from "./IArena.sol";
import {IBeasts} from "./IBeasts.sol";
import {IDisputeCourt} from "./IDisputeCourt.sol";
import {IDisputeVault} from "./IDisputeVault.sol";
import {IEnergyEscrow} from "./IEnergyEscrow.sol";
import {ISeasonRegistry} from "./ISeasonRegistry.sol";

/// @title Checkpoints, and all the money
/// @notice Keeps one digest per checkpoint; the record itself is in the event and is passed back by whoever acts on
/// it. Prices and bonds are paid from escrow in ENERGY; besides, a trainer has a stake in native coin on every beast that
/// it trains. Only the court, named once at deployment, may slash. No owner.
interface ICheckpointLedger is IEnergyEscrow {
    /// @param lossDrop windowLoss fell against a parent with the same source, heads and season
    event CheckpointSubmitted(uint256 indexed beastId, uint32 indexed index, Checkpoint checkpoint, bool lossDrop);
    /// @notice A window completed an epoch, and the next one begins. (Epoch 0 begins with Beasts.Hatched.)
    event EpochStarted(
        uint256 indexed beastId,
        uint32 indexed epoch,
        bytes32 epochSeed,
        uint16 season,
        uint32 startIndex
    );
    event CheckpointFinalized(uint256 indexed beastId, uint32 indexed index, bytes32 h128);
    /// @notice The checkpoint and all after it are void.
    /// @param generation the beast's generation from now on
    /// @param burned ENERGY burned: the rest of the offender's lock and all of the descendants'
    event CheckpointSlashed(
        uint256 indexed beastId,
        uint32 indexed index,
        bytes32 h128,
        uint32 newHeadCount,
        uint32 generation,
        uint256 burned,
        address filer,
        uint256 filerReward,
        address prover,
        uint256 proverReward
    );
    event DisputeBondLocked(bytes32 indexed digest, uint64 indexed disputeId, address filer, uint128 bond);
    /// @param stepPay part of the bond that goes to those who re-executed the window, instead of burning
    event DisputeBondReleased(
        bytes32 indexed digest,
        uint64 indexed disputeId,
        address filer,
        uint128 bond,
        BondOutcome outcome,
        uint256 stepPay
    );
    event Staked(uint256 indexed beastId, address indexed trainer, uint256 amount, uint256 total);
    event StakeWithdrawalAnnounced(
        uint256 indexed beastId,
        address indexed trainer,
        uint32 barredAt,
        uint64 withdrawableAt
    );
    event StakeWithdrawalCancelled(uint256 indexed beastId, address indexed trainer);
    event StakeWithdrawn(uint256 indexed beastId, address indexed trainer, address indexed to, uint256 amount);
    event EscrowMoved(address indexed from, address indexed to, uint256 amount);
    /// @notice The one court and the one arena that this ledger will ever have.
    event Bound(address indexed court, address indexed arena);

    error NotTrainer(uint256 beastId, address caller);
    error StaleParent(bytes32 head, bytes32 expectedParent);
    error WrongEpochSeed(uint64 seedTag, bytes32 expectedEpochSeed);
    error WrongEpoch(uint32 expected, uint32 actual);
    error EpochNotStarted(uint32 current, uint32 epoch);
    error WrongStep(uint32 expected, uint32 actual);
    error WrongLrShift(uint8 expected, uint8 actual);
    /// @notice A slot once awake never sleeps again.
    error MaskShrinks(uint8 parentMask, uint8 mask);
    error WrongPrice(uint256 expected, uint256 actual);
    error LossTooLarge(uint256 max, uint256 actual);
    error UnknownSource(uint8 source);
    /// @notice A BATTLE window needs a final match.
    error NoRecordedMatch(uint32 sourceId);
    /// @notice The match's log may no longer be served by nodes.
    error MatchTooOld(uint32 sourceId, uint256 usableUntil);
    /// @notice Only a BATTLE window names a match.
    error UnexpectedSourceId(uint32 sourceId);
    error NoPrivateDataset(uint256 beastId);
    error EmptyBatch();
    error BatchCrossesEpoch(uint256 windowsLeft, uint256 batch);
    /// @notice The record is not the one stored at its place: slashed, re-orged away, or never submitted.
    error NotLive(uint256 beastId, uint32 index);
    error AlreadyFinal(uint256 beastId, uint32 index);
    error OutOfOrder(uint32 expectedIndex, uint32 actualIndex);
    error ChallengePeriodOpen(uint32 index, uint256 endsAt);
    error DisputeIsOpen(uint64 disputeId);
    error NoOpenDispute(bytes32 digest);
    error AlreadyProven(bytes32 digest);
    error WrongParentRecord(uint32 index);
    error OnlyCourt(address caller);
    error OnlyDeployer(address caller);
    error AlreadyBound(address court, address arena);
    /// @notice No contract, or one of another ledger.
    error NotOfThisLedger(address contract_);
    /// @notice The ledger has no court yet: nothing could be disputed.
    error NotBound();
    /// @notice The window would stand on a pending one of another trainer, whose fall would take it down.
    error ForeignPendingParent(uint32 index);
    /// @notice A dispute can be filed only before the challenge period ends.
    error ChallengePeriodOver(uint32 index, uint256 endedAt);
    error StakeTooSmall(uint256 required, uint256 actual);
    error StakeTooLarge(uint256 max, uint256 actual);
    error NoStake(uint256 beastId, address trainer);
    /// @notice The withdrawal of the stake is announced: cancel it before submitting.
    error StakeIsLeaving(uint256 beastId, address trainer);
    error WithdrawalNotAnnounced(uint256 beastId, address trainer);
    error StakeStillNeeded(uint256 withdrawableAt, uint32 finalCount, uint32 needed);
    /// @notice Disputes that paid for the trainer's openings are open, over windows that are void: dismiss them first.
    error OpeningDebtsOpen(uint256 beastId, address trainer, uint256 debt);
    /// @notice A reward out of the trainer's slashed stake on this beast is not settled yet.
    error StakeRewardHeld(uint256 beastId, address trainer);
    /// @notice The receiver refused the coin.
    error TransferRefused(address to);

    // --- training ---------------------------------------------------------------------------------------------

    /// @notice Submit one trained window; locks its energy and the bond from the caller's escrow, and asks for the caller's
    /// stake on the beast.
    /// @param acceptForeignParent build even on a pending window of another trainer, whose fall takes this one down
    /// @param expectedParent the head the window was trained on, so that no reorg can retarget it
    /// @param expectedEpochSeed the epoch seed it was trained with, for the same reason
    function submit(
        uint256 beastId,
        bytes32 expectedParent,
        bytes32 expectedEpochSeed,
        CheckpointPayload calldata payload,
        bool acceptForeignParent
    ) external;

    /// @notice Submit several consecutive windows of one epoch.
    function submitBatch(
        uint256 beastId,
        bytes32 expectedParent,
        bytes32 expectedEpochSeed,
        CheckpointPayload[] calldata payloads,
        bool acceptForeignParent
    ) external;

    /// @notice Make the oldest pending checkpoints final: burn their energy, return their bonds. Anyone may call.
    /// @param checkpoints consecutive records from the first that is not final
    function finalize(uint256 beastId, Checkpoint[] calldata checkpoints) external;

    // --- stakes -----------------------------------------------------------------------------------------------

    /// @notice Add the value sent to the caller's stake on a beast.
    function stake(uint256 beastId) external payable;

    /// @notice The same for another trainer.
    function stakeFor(uint256 beastId, address trainer) external payable;

    /// @notice Say that the caller's stake on a beast will be withdrawn; bars it from submitting.
    function announceWithdrawal(uint256 beastId) external;

    /// @notice Take the announcement back.
    function cancelWithdrawal(uint256 beastId) external;

    /// @notice Withdraw an announced stake, once a challenge period and a whole dispute have passed and every window of the
    /// caller's is final or void.
    function withdrawStake(uint256 beastId, address payable to) external;

    // --- escrow -----------------------------------------------------------------------------------------------

    /// @notice Move ENERGY from the caller's escrow to another account's.
    function moveEscrow(address to, uint256 amount) external;

    // --- views ------------------------------------------------------------------------------------------------

    /// @notice ENERGY that the beast's own final windows have burned; the measure of what it may earn in the arena.
    function burnedOf(uint256 beastId) external view returns (uint256);

    function stakeOf(uint256 beastId, address trainer) external view returns (Stake memory);

    /// @notice The stake that a submission for the beast asks for in this block.
    function requiredStake(uint256 beastId) external view returns (uint256);

    /// @notice The stake that a submission under a season asks for in this block.
    function stakeAt(uint16 season) external view returns (uint256);

    /// @notice Where the beast stands; for one that never submitted, what its birth says.
    function head(uint256 beastId) external view returns (Head memory);

    /// @notice Seed, season and first index of a started epoch. Reverts for one that has not started.
    function epochOf(uint256 beastId, uint32 epoch) external view returns (EpochRecord memory);

    /// @notice energyBurn and bond of the beast's next window with `mask`.
    function quote(uint256 beastId, uint8 mask) external view returns (uint128 energyBurn, uint128 bond);

    function digestOf(uint256 beastId, Checkpoint calldata checkpoint) external view returns (bytes32);

    /// @notice Whether the record is on the beast's chain of checkpoints, pending or final.
    function isLive(uint256 beastId, Checkpoint calldata checkpoint) external view returns (bool);

    function statusOf(uint256 beastId, Checkpoint calldata checkpoint) external view returns (CheckpointStatus);

    function standingOf(bytes32 digest) external view returns (Standing memory);

    function beasts() external view returns (IBeasts);

    function seasons() external view returns (ISeasonRegistry);

    /// @notice The one contract that may slash; zero until it is bound.
    function court() external view returns (IDisputeCourt);

    /// @notice The one arena whose final matches may be trained on; zero until it is bound.
    function arena() external view returns (IArena);

    // --- at deployment ----------------------------------------------------------------------------------------

    /// @notice Name court and arena, for ever. Once, and only by who deployed the ledger; both must name this ledger.
    function bind(IDisputeCourt court, IArena arena) external;

    // --- for the court only -----------------------------------------------------------------------------------

    /// @notice Lock a filer's ENERGY bond against a pending checkpoint whose challenge period runs.
    function openDispute(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        address filer,
        uint64 disputeId,
        uint128 bond
    ) external returns (bytes32 digest);

    /// @notice End a dispute without a slashing.
    /// @param maxStepPay most wei of a burning bond that goes to the dispute's committed steps instead
    function closeDispute(bytes32 digest, address filer, BondOutcome outcome, uint256 maxStepPay) external;

    /// @notice Void the checkpoint and all after it, pay filer and provers, burn the rest, hand the trainer's stake to the
    /// vault, return the ENERGY bond of the dispute over it if one is open.
    function slash(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        Checkpoint calldata parent,
        Payees calldata payees
    ) external;
}
