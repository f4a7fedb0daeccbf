// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    BondOutcome,
    Checkpoint,
    CheckpointPayload,
    CheckpointStatus,
    EpochRecord,
    Head,
    Standing
} from "../types/CheckpointTypes.sol";
import {IArena} from "./IArena.sol";
import {IEnergyEscrow} from "./IEnergyEscrow.sol";

/// @title Checkpoints, and all the money
/// @notice Keeps one digest per checkpoint; the record itself is in the event and is passed back by whoever acts on
/// it. Prices and bonds are paid from escrow. Only the court, fixed at deployment, may slash. No owner.
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
        address challenger,
        uint256 challengerReward,
        address prover,
        uint256 proverReward
    );
    event DisputeBondLocked(bytes32 indexed digest, uint64 indexed disputeId, address challenger, uint128 bond);
    event DisputeBondReleased(
        bytes32 indexed digest,
        uint64 indexed disputeId,
        address challenger,
        uint128 bond,
        BondOutcome outcome
    );
    /// @notice From now on BATTLE windows train on the final matches of this arena.
    event ArenaBound(address indexed arena);

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
    error ArenaAlreadyBound(address arena);
    /// @notice No contract, or the arena of another ledger.
    error NotItsArena(address arena);

    // --- training ---------------------------------------------------------------------------------------------

    /// @notice Submit one trained window; locks its energy and the bond from the caller's escrow.
    /// @param expectedParent the head the window was trained on, so that no reorg can retarget it
    /// @param expectedEpochSeed the epoch seed it was trained with, for the same reason
    function submit(
        uint256 beastId,
        bytes32 expectedParent,
        bytes32 expectedEpochSeed,
        CheckpointPayload calldata payload
    ) external;

    /// @notice Submit several consecutive windows of one epoch.
    function submitBatch(
        uint256 beastId,
        bytes32 expectedParent,
        bytes32 expectedEpochSeed,
        CheckpointPayload[] calldata payloads
    ) external;

    /// @notice Make the oldest pending checkpoints final: burn their energy, return their bonds. Anyone may call.
    /// @param checkpoints consecutive records from the first that is not final
    function finalize(uint256 beastId, Checkpoint[] calldata checkpoints) external;

    // --- views ------------------------------------------------------------------------------------------------

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

    /// @notice The one address that may slash.
    function court() external view returns (address);

    /// @notice The one arena whose final matches may be trained on; zero until it is bound.
    function arena() external view returns (IArena);

    // --- at deployment ----------------------------------------------------------------------------------------

    /// @notice Name the arena, for ever. Once, and only by who deployed the ledger.
    function bindArena(IArena arena) external;

    // --- for the court only -----------------------------------------------------------------------------------

    /// @notice Lock a challenger's bond against a pending checkpoint.
    function openDispute(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        address challenger,
        uint64 disputeId,
        uint128 bond
    ) external returns (bytes32 digest);

    /// @notice End a dispute without a slashing.
    function closeDispute(bytes32 digest, address challenger, BondOutcome outcome) external;

    /// @notice Void the checkpoint and all after it, pay the challenger and the prover, burn the rest, return the
    /// bond of the dispute over it if one is open.
    function slash(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        Checkpoint calldata parent,
        address challenger,
        address prover
    ) external;
}
