// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {Publications} from "./libraries/Publications.sol";
import {Rules} from "./types/KernelTypes.sol";
import {ArenaTerms, Economics, Limits, Schedule, Season} from "./types/SeasonTypes.sol";

/// @title The versioned constants, range-checked
/// @dev The interface carries the rest of the documentation.
contract SeasonRegistry is ISeasonRegistry, Ownable {
    uint256 private constant MAX_BPS = 10_000;
    /// @dev 2^80 wei a step, slot, hatch, reward or bond: with it Σ (energyBurn + bond) of 2^32 windows fits a uint128.
    uint256 private constant MAX_COST = 1 << 80;
    uint256 private constant MAX_PERIOD = 365 days;
    /// @dev More of what its own final training burned no beast may ever be credited, whatever a governor wants.
    uint256 private constant MAX_REWARD_CAP = MAX_BPS / 2;
    /// @dev A record that is disproved leaves time for the next, and for another after that.
    uint256 private constant RECORD_PERIODS = 3;
    /// @dev Less than archives keep the time of a publication (Publications.RENEWAL).
    uint256 private constant MAX_DISPUTE = 29 days;
    // What the two shares of a stake pay for, in gas: the costliest proof that can be forced on anybody, and a filing with a
    // proof that came too late (docs/gas-report.md). Twice each, since the base fee moves between submission and conviction.
    uint256 private constant PROOF_GAS = 2 * 8_000_000;
    uint256 private constant FILING_GAS = 2 * 2_700_000;

    mapping(uint16 number => Season) private _seasons;
    Limits private _limits;

    /// @inheritdoc ISeasonRegistry
    uint16 public currentSeason;
    /// @dev newest season before the block in which the last one was added, and that block
    uint16 private _previous;
    uint64 private _addedAt;

    constructor(address governor, Limits memory limits_) Ownable(governor) {
        _limits = limits_;
    }

    /// @inheritdoc ISeasonRegistry
    function addSeason(Season calldata values) external onlyOwner returns (uint16 number) {
        _checkRules(values.rules);
        _checkSchedule(values.schedule);
        _checkEconomics(values.economics);
        _checkArena(values.arena);
        // Of several seasons added in one block only the first sets `_previous`: what was in force before that block.
        if (block.number > _addedAt) {
            _previous = currentSeason;
            _addedAt = uint64(block.number);
        }
        number = ++currentSeason;
        _seasons[number] = values;
        emit SeasonAdded(number, values);
    }

    /// @inheritdoc ISeasonRegistry
    function effectiveSeason() external view returns (uint16 number) {
        // INVARIANT P3: the season of an epoch depends on nothing later than the block whose hash seeds it.
        number = block.number > _addedAt ? currentSeason : _previous;
        if (number == 0) revert NoSeasonYet();
    }

    /// @inheritdoc ISeasonRegistry
    function season(uint16 number) external view returns (Season memory) {
        return _known(number);
    }

    /// @inheritdoc ISeasonRegistry
    function rules(uint16 number) external view returns (Rules memory) {
        return _known(number).rules;
    }

    /// @inheritdoc ISeasonRegistry
    function schedule(uint16 number) external view returns (Schedule memory) {
        return _known(number).schedule;
    }

    /// @inheritdoc ISeasonRegistry
    function economics(uint16 number) external view returns (Economics memory) {
        return _known(number).economics;
    }

    /// @inheritdoc ISeasonRegistry
    function arena(uint16 number) external view returns (ArenaTerms memory) {
        return _known(number).arena;
    }

    /// @inheritdoc ISeasonRegistry
    function pricing(uint16 number) external view returns (uint96, uint96, uint8, uint32) {
        Economics storage e = _known(number).economics;
        return (e.baseCost, e.growthCost, e.trainerBondMultiple, e.stakeGas);
    }

    /// @inheritdoc ISeasonRegistry
    function challengePeriod(uint16 number) external view returns (uint32) {
        return _known(number).economics.challengePeriod;
    }

    /// @inheritdoc ISeasonRegistry
    function disputeWindows(uint16 number) external view returns (uint32, uint32) {
        Economics storage e = _known(number).economics;
        return (e.responseWindow, e.proofWindow);
    }

    /// @inheritdoc ISeasonRegistry
    function hatchCost(uint16 number) external view returns (uint96) {
        return _known(number).economics.hatchCost;
    }

    /// @inheritdoc ISeasonRegistry
    function energyPrice(uint16 number) external view returns (uint96) {
        return _known(number).economics.energyPrice;
    }

    /// @inheritdoc ISeasonRegistry
    function limits() external view returns (Limits memory) {
        return _limits;
    }

    /// @inheritdoc ISeasonRegistry
    function referenceFee() external view returns (uint256) {
        return _limits.referenceFee;
    }

    /// @dev A known season has a positive baseCost, which shares the slot that `pricing` reads anyway.
    function _known(uint16 number) private view returns (Season storage found) {
        found = _seasons[number];
        if (found.economics.baseCost == 0) revert UnknownSeason(number);
    }

    // INVARIANT P1: no season can break a kernel (docs/spec, rules §3).
    function _checkRules(Rules calldata r) private pure {
        _check("damageK", r.damageK, 1, 2_184);
        _check("damageCurve", r.damageCurve, 0, 1);
        _check("blockCap", r.blockCap, 0, 127);
        _check("critOdds", r.critOdds, 1, type(uint16).max);
        _check("hazardStamina", r.hazardStamina, 0, 15);
        _check("restGain", r.restGain, 1, 255);
        _check("maxTurns", r.maxTurns, 1, 254);
        _check("blockThresholdNum", r.blockThresholdNum, 1, 255);
        _check("blockThresholdDen", r.blockThresholdDen, 1, 255);
        _check("selfPlayWords", r.selfPlayWords, 1, 127);
    }

    // INVARIANT P1, continued.
    function _checkSchedule(Schedule calldata s) private pure {
        _check("epochWindows", s.epochWindows, 1, type(uint16).max);
        _check("lrEpochsPerDecay", s.lrEpochsPerDecay, 1, type(uint16).max);
        _check("lrMax", s.lrMax, 3, 15);
        _check("lrBase", s.lrBase, 3, s.lrMax);
    }

    // INVARIANT P2: no season can overflow money, pay out more than was locked, or stop time.
    function _checkEconomics(Economics calldata e) private view {
        _check("baseCost", e.baseCost, 1, MAX_COST);
        _check("growthCost", e.growthCost, 0, MAX_COST);
        _check("hatchCost", e.hatchCost, 0, MAX_COST);
        _check("energyPrice", e.energyPrice, 0, MAX_COST);
        Limits memory bounds = _limits;
        _check("trainerBondMultiple", e.trainerBondMultiple, _atLeastOne(bounds.minTrainerBondMultiple), 255);
        // A filer never risks more ENERGY than the offender has locked.
        uint256 maxBond = uint256(e.trainerBondMultiple) + 1;
        _check("disputeBondMultiple", e.disputeBondMultiple, _atLeastOne(bounds.minDisputeBondMultiple), maxBond);
        _check("stakeGas", e.stakeGas, _atLeastOne(bounds.minStakeGas), type(uint32).max);
        // INVARIANT P52: at least half of all that is slashed burns, whatever a governor wants.
        _check("filingBps", e.filingBps, 0, MAX_BPS / 2);
        _check("proofBps", e.proofBps, 0, MAX_BPS / 2 - e.filingBps);
        _check("challengePeriod", e.challengePeriod, _atLeastOne(bounds.minChallengePeriod), MAX_PERIOD);
        _check("responseWindow", e.responseWindow, _atLeastOne(bounds.minResponseWindow), MAX_PERIOD);
        _check("proofWindow", e.proofWindow, _atLeastOne(bounds.minProofWindow), MAX_PERIOD);
        // An offender has locked 1 + trainerBondMultiple times the window's price. What burns of it must be the price
        // at least, or slashing oneself would be cheaper than training honestly.
        uint256 burnedBps = MAX_BPS - e.filingBps - e.proofBps;
        if ((1 + uint256(e.trainerBondMultiple)) * burnedBps < MAX_BPS) {
            revert RewardsTooLarge(e.filingBps, e.proofBps, e.trainerBondMultiple);
        }
        // INVARIANT P53: a conviction pays its gas at any base fee, since the stake is asked for in gas.
        _requirePaid(e.stakeGas, e.filingBps, FILING_GAS);
        _requirePaid(e.stakeGas, e.proofBps, PROOF_GAS);
        // INVARIANT P36, continued: no dispute outlives the time of a publication in it, nor the age of one before it.
        uint256 dispute = uint256(e.responseWindow) + e.proofWindow;
        if (dispute > MAX_DISPUTE) revert DisputeTooLong(MAX_DISPUTE, dispute);
        uint256 minAge = Publications.RENEWAL + e.challengePeriod + dispute;
        _check("publicationAge", e.publicationAge, minAge, bounds.maxPublicationAge);
    }

    function _requirePaid(uint256 stakeGas, uint256 bps, uint256 gasCost) private pure {
        uint256 rewardGas = (stakeGas * bps) / MAX_BPS;
        if (rewardGas < gasCost) revert ConvictionUnpaid(rewardGas, gasCost);
    }

    function _atLeastOne(uint256 limit) private pure returns (uint256) {
        return limit == 0 ? 1 : limit;
    }

    // INVARIANT P2, continued: a record always costs a bond, losing never pays more than winning, and minting is
    // bounded.
    function _checkArena(ArenaTerms calldata a) private pure {
        _check("winnerReward", a.winnerReward, 0, MAX_COST);
        _check("loserReward", a.loserReward, 0, a.winnerReward);
        _check("disproofPeriod", a.disproofPeriod, 1, MAX_PERIOD);
        _check("rewardCooldown", a.rewardCooldown, 1, MAX_PERIOD);
        _check("recordBond", a.recordBond, 1, MAX_COST);
        // INVARIANT P72, continued: what beasts are credited is less than what their training burned.
        _check("rewardCapBps", a.rewardCapBps, 0, MAX_REWARD_CAP);
        uint256 minWindow = RECORD_PERIODS * a.disproofPeriod;
        _check("recordWindow", a.recordWindow, minWindow, RECORD_PERIODS * MAX_PERIOD);
    }

    function _check(string memory field, uint256 value, uint256 min, uint256 max) private pure {
        if (value < min || value > max) revert ValueOutOfRange(field, value, min, max);
    }
}
