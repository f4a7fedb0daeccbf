// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {Rules} from "./types/KernelTypes.sol";
import {ArenaTerms, Economics, Schedule, Season} from "./types/SeasonTypes.sol";

/// @title The versioned constants, range-checked
/// @dev The interface carries the rest of the documentation.
contract SeasonRegistry is ISeasonRegistry, Ownable {
    uint256 private constant MAX_BPS = 10_000;
    /// @dev 2^80 wei a step, slot, reward or bond: with it Σ (energyBurn + bond) of 2^32 windows fits a uint128.
    uint256 private constant MAX_COST = 1 << 80;
    uint256 private constant MAX_PERIOD = 365 days;

    mapping(uint16 number => Season) private _seasons;

    /// @inheritdoc ISeasonRegistry
    uint16 public currentSeason;
    /// @dev newest season before the block in which the last one was added, and that block
    uint16 private _previous;
    uint64 private _addedAt;

    constructor(address governor) Ownable(governor) {}

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
    function pricing(uint16 number) external view returns (uint96, uint96, uint8) {
        Economics storage e = _known(number).economics;
        return (e.baseCost, e.growthCost, e.trainerBondMultiple);
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
    }

    // INVARIANT P1, continued.
    function _checkSchedule(Schedule calldata s) private pure {
        _check("epochWindows", s.epochWindows, 1, type(uint16).max);
        _check("lrEpochsPerDecay", s.lrEpochsPerDecay, 1, type(uint16).max);
        _check("lrMax", s.lrMax, 3, 15);
        _check("lrBase", s.lrBase, 3, s.lrMax);
    }

    // INVARIANT P2: no season can overflow money, pay out more than was locked, or stop time.
    function _checkEconomics(Economics calldata e) private pure {
        _check("baseCost", e.baseCost, 1, MAX_COST);
        _check("growthCost", e.growthCost, 0, MAX_COST);
        _check("trainerBondMultiple", e.trainerBondMultiple, 1, 255);
        _check("disputeBondMultiple", e.disputeBondMultiple, 1, 255);
        _check("rewardBps", e.rewardBps, 0, MAX_BPS);
        _check("proverBps", e.proverBps, 0, MAX_BPS - e.rewardBps);
        _check("challengePeriod", e.challengePeriod, 1, MAX_PERIOD);
        _check("responseWindow", e.responseWindow, 1, MAX_PERIOD);
        _check("proofWindow", e.proofWindow, 1, MAX_PERIOD);
        // An offender has locked 1 + trainerBondMultiple times the window's price. What burns of it must be the price
        // at least, or slashing oneself would be cheaper than training honestly. So burnedBps is never 0.
        uint256 burnedBps = MAX_BPS - e.rewardBps - e.proverBps;
        if ((1 + uint256(e.trainerBondMultiple)) * burnedBps < MAX_BPS) {
            revert RewardsTooLarge(e.rewardBps, e.proverBps, e.trainerBondMultiple);
        }
    }

    // INVARIANT P2, continued: a record always costs a bond, losing never pays more than winning, and minting is
    // bounded.
    function _checkArena(ArenaTerms calldata a) private pure {
        _check("winnerReward", a.winnerReward, 0, MAX_COST);
        _check("loserReward", a.loserReward, 0, a.winnerReward);
        _check("disproofPeriod", a.disproofPeriod, 1, MAX_PERIOD);
        _check("rewardCooldown", a.rewardCooldown, 1, MAX_PERIOD);
        _check("recordBond", a.recordBond, 1, MAX_COST);
    }

    function _check(string memory field, uint256 value, uint256 min, uint256 max) private pure {
        if (value < min || value > max) revert ValueOutOfRange(field, value, min, max);
    }
}
