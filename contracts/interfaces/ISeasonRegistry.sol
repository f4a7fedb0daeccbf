// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules} from "../types/KernelTypes.sol";
import {ArenaTerms, Economics, Limits, Schedule, Season} from "../types/SeasonTypes.sol";

/// @title The versioned constants of the game
/// @notice Seasons are numbered 1, 2, … and are appended by governance; each stays readable for ever. The owner is
/// the timelock. A beast keeps one season for a whole epoch, so a change never invalidates work in flight.
interface ISeasonRegistry {
    /// @notice A season was appended and governs epochs that start in later blocks.
    event SeasonAdded(uint16 indexed season, Season values);

    /// @notice A constant lies outside the range in which no kernel and no money arithmetic can break.
    /// @param field its name, as in the struct
    error ValueOutOfRange(string field, uint256 value, uint256 min, uint256 max);
    /// @notice Rewards would leave less to burn than the window's own energy, so that being slashed by oneself
    /// would be cheaper than training.
    error RewardsTooLarge(uint256 filingBps, uint256 proofBps, uint256 trainerBondMultiple);
    /// @notice A share of a stake would not pay the gas that it is for.
    error ConvictionUnpaid(uint256 rewardGas, uint256 gasCost);
    /// @notice A dispute could last longer than archives keep the time of a publication.
    error DisputeTooLong(uint256 max, uint256 actual);
    error UnknownSeason(uint16 season);
    /// @notice No season is in force in this block yet.
    error NoSeasonYet();

    /// @notice Append a season. Only the owner.
    /// @return number the new season's number
    function addSeason(Season calldata values) external returns (uint16 number);

    /// @notice The newest season's number, 0 before the first.
    function currentSeason() external view returns (uint16);

    /// @notice The season that an epoch starting in this block gets: the newest of those added in EARLIER blocks.
    /// So the hash of the previous block, which seeds the epoch, also determines its season.
    function effectiveSeason() external view returns (uint16);

    function season(uint16 number) external view returns (Season memory);

    function rules(uint16 number) external view returns (Rules memory);

    function schedule(uint16 number) external view returns (Schedule memory);

    function economics(uint16 number) external view returns (Economics memory);

    function arena(uint16 number) external view returns (ArenaTerms memory);

    /// @notice What a submission pays by; one storage read.
    function pricing(
        uint16 number
    ) external view returns (uint96 baseCost, uint96 growthCost, uint8 trainerBondMultiple, uint32 stakeGas);

    // What is asked for by itself, without the cost of the rest.

    /// @notice How long checkpoints of a season can be disputed.
    function challengePeriod(uint16 number) external view returns (uint32);

    /// @notice How long openings may take, and proofs after them.
    function disputeWindows(uint16 number) external view returns (uint32 responseWindow, uint32 proofWindow);

    /// @notice What a request to hatch burns.
    function hatchCost(uint16 number) external view returns (uint96);

    /// @notice What the sale asks for; 0: it is closed.
    function energyPrice(uint16 number) external view returns (uint96);

    /// @notice What no season of this deployment may fall below.
    function limits() external view returns (Limits memory);

    /// @notice Least wei per gas at which stakes and opening bonds are reckoned.
    function referenceFee() external view returns (uint256);
}
