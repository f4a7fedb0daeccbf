// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Earnings} from "../types/ArenaTypes.sol";
import {ArenaTerms} from "../types/SeasonTypes.sol";

/// @title What a beast may be credited for a match: docs/spec, arena §5
library Rewards {
    uint256 private constant MAX_BPS = 10_000;

    /// @notice What the matches of two seasons pay at most: of rewards and cap the lesser, of cooldowns the longer.
    /// @return least the terms `a`, with what `b` pays less by
    function lesser(ArenaTerms memory a, ArenaTerms memory b) internal pure returns (ArenaTerms memory least) {
        least = a;
        if (b.winnerReward < a.winnerReward) least.winnerReward = b.winnerReward;
        if (b.loserReward < a.loserReward) least.loserReward = b.loserReward;
        if (b.rewardCapBps < a.rewardCapBps) least.rewardCapBps = b.rewardCapBps;
        if (b.rewardCooldown > a.rewardCooldown) least.rewardCooldown = b.rewardCooldown;
    }

    /// @notice What a beast may still be credited; nothing where a lower cap is below what it has been.
    function allowance(Earnings memory e, uint256 burned, uint256 capBps) internal pure returns (uint256) {
        uint256 cap = (burned * capBps) / MAX_BPS;
        return cap > e.total ? cap - e.total : 0;
    }

    /// @notice Credit a reward as far as cooldown and allowance let it be.
    /// @dev Within a cooldown the best reward counts, in whatever order matches become final: what is credited tops up what
    /// was, and no cooldown begins. Nothing credited begins none either.
    /// @return credited the part of the reward, and the earnings after it
    function earn(
        Earnings memory e,
        uint256 reward,
        uint256 cooldown,
        uint256 allowed
    ) internal view returns (uint256 credited, Earnings memory) {
        bool running = e.since != 0 && block.timestamp < e.since + cooldown;
        uint256 before = running ? e.inCooldown : 0;
        if (reward <= before) return (0, e);
        credited = reward - before;
        if (credited > allowed) credited = allowed;
        if (credited == 0) return (0, e);
        if (!running) e.since = uint40(block.timestamp);
        // A reward is at most 2^80. Half of what 2^32 windows burn, each less than 2^88, is less than 2^119.
        e.inCooldown = uint96(before + credited);
        e.total += uint120(credited);
        return (credited, e);
    }
}
