// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Publication, Publications} from "contracts/libraries/Publications.sol";
import {Rewards} from "contracts/libraries/Rewards.sol";
import {Earnings} from "contracts/types/ArenaTypes.sol";
import {ArenaTerms} from "contracts/types/SeasonTypes.sol";
import {vm} from "./Symbolic.sol";

/// @title What a beast may be credited (INVARIANTs P64, P72, P73), and which publications count (P36, P45)
contract RewardsProof {
    using Publications for Publication;
    using Rewards for Earnings;

    /// @dev The registry's bound on rewards, and half of what 2^32 windows can burn.
    uint256 private constant MAX_REWARD = 1 << 80;
    uint256 private constant MAX_TOTAL = 1 << 119;

    function check_earn(Earnings memory e, uint96 reward, uint32 cooldown, uint120 allowed) external view {
        vm.assume(reward <= MAX_REWARD && e.inCooldown <= MAX_REWARD);
        vm.assume(uint256(e.total) + allowed <= MAX_TOTAL);
        (uint256 totalBefore, uint256 sinceBefore) = (e.total, e.since);
        bool running = e.since != 0 && block.timestamp < uint256(e.since) + cooldown;
        uint256 inCooldown = running ? e.inCooldown : 0;
        (uint256 credited, Earnings memory left) = e.earn(reward, cooldown, allowed);
        assert(credited <= allowed && credited <= reward);
        assert(left.total == totalBefore + credited);
        if (credited != 0) {
            // The best reward of a cooldown and no more.
            assert(left.inCooldown == inCooldown + credited && left.inCooldown <= reward);
            if (running) assert(left.since == sinceBefore);
        } else {
            assert(left.since == sinceBefore);
        }
    }

    function check_lesser(ArenaTerms memory a, ArenaTerms memory b) external pure {
        // A copy: the lesser terms are written over the first ones.
        ArenaTerms memory least = Rewards.lesser(abi.decode(abi.encode(a), (ArenaTerms)), b);
        _requireLess(least, a);
        _requireLess(least, b);
    }

    function _requireLess(ArenaTerms memory least, ArenaTerms memory than) private pure {
        assert(least.winnerReward <= than.winnerReward);
        assert(least.loserReward <= than.loserReward);
        assert(least.rewardCapBps <= than.rewardCapBps);
        assert(least.rewardCooldown >= than.rewardCooldown);
    }

    /// @dev What counts was published, in time, and young enough when the dispute was filed.
    function check_inTime(Publication memory p, uint40 filedAt, uint40 deadline, uint32 age) external pure {
        uint256 openedAt = p.inTime(filedAt, deadline, age);
        if (openedAt == 0) return;
        assert(openedAt == p.time || openedAt == p.timeBefore);
        assert(openedAt <= deadline && openedAt + age >= filedAt);
    }
}
