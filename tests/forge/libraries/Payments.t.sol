// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OpeningGas} from "contracts/libraries/OpeningGas.sol";
import {Publication, Publications} from "contracts/libraries/Publications.sol";
import {Rewards} from "contracts/libraries/Rewards.sol";
import {Earnings} from "contracts/types/ArenaTypes.sol";
import {ArenaTerms} from "contracts/types/SeasonTypes.sol";
import {VM} from "../Vm.sol";

/// @title What is paid for openings and matches, and when, for any values, against the same rules written otherwise
/// @dev Needs no artifact, so a fault of a library is tried in seconds (scripts/mutate). Edges are aimed at, as chance hardly
/// ever meets them.
contract Payments {
    using Publications for Publication;
    using Rewards for Earnings;

    /// @dev The registry's bound on rewards.
    uint256 private constant MAX_REWARD = 1 << 80;

    Publication private _publication;

    // --- publications -----------------------------------------------------------------------------------------

    function testFuzz_publications_renewAfterThirtyDays(uint32 first, uint32 gasUsed, uint96 gasPrice) external {
        require(_publication.isDue(), "what was never published is due");
        VM.warp(uint256(first) + 1);
        VM.roll(77);
        _publication.renew(gasUsed, gasPrice);
        _requirePublication(Publication(uint40(first) + 1, 0, 77, gasUsed, gasPrice));
        VM.warp(uint256(first) + 30 days);
        require(!_publication.isDue(), "a publication counts for thirty days");
        VM.warp(uint256(first) + 1 + 30 days);
        VM.roll(78);
        require(_publication.isDue(), "and no longer");
        _publication.renew(gasPrice % 1_000, gasUsed);
        _requirePublication(
            Publication(uint40(first) + 1 + 30 days, uint40(first) + 1, 78, uint32(gasPrice % 1_000), gasUsed)
        );
    }

    function _requirePublication(Publication memory expected) private view {
        require(
            keccak256(abi.encode(_publication)) == keccak256(abi.encode(expected)),
            "it says when, and what it cost"
        );
    }

    /// @dev Publications near a dispute's edges: its deadline, and the age that counts when it is filed.
    function testFuzz_publications_inTime(
        uint32 filed,
        uint16 window,
        uint32 age,
        uint8 last,
        uint8 before
    ) external pure {
        uint256 filedAt = uint256(filed) + age + 4;
        uint256 deadline = filedAt + window;
        uint256[7] memory edges = [
            0,
            filedAt - age - 1,
            filedAt - age,
            filedAt,
            deadline,
            deadline + 1,
            deadline + age
        ];
        Publication memory p;
        (p.time, p.timeBefore) = (uint40(edges[last % 7]), uint40(edges[before % 7]));
        uint256 expected =
            _counts(p.time, filedAt, deadline, age)
                ? p.time
                : _counts(p.timeBefore, filedAt, deadline, age)
                    ? p.timeBefore
                    : 0;
        require(p.inTime(filedAt, deadline, age) == expected, "an opening in time, and young enough");
    }

    function _counts(uint256 time, uint256 filedAt, uint256 deadline, uint256 age) private pure returns (bool) {
        return time >= 1 && filedAt - age <= time && deadline + 1 > time;
    }

    // --- what openings are paid as ----------------------------------------------------------------------------

    function testFuzz_openingGas_owedIsTheSumOfWhatIsMissing(uint8 missing, uint8 depth, uint32 past) external pure {
        uint256 levels = depth % 33;
        // A length of that many levels: the last one below a power of two, or any other.
        uint256 length = levels == 0 ? 1 : (1 << (levels - 1)) + 1 + (past % (1 << (levels - 1)));
        uint256 owed = 0;
        if (missing % 2 == 1) owed += 325_000;
        if ((missing / 2) % 2 == 1) owed += 203_000 + 40 * 33_792;
        uint256 siblings = levels > 8 ? 128 * (levels - 7) : 128;
        if ((missing / 4) % 2 == 1) owed += 450_000 + 1_300 * (128 + siblings);
        require(OpeningGas.owed(missing, length) == owed, "a bond asks for what can be opened");
    }

    function testFuzz_openingGas_ofState_countsTheBytes(bytes32[] memory words) external view {
        bytes memory weights = abi.encodePacked(words);
        uint256 gasUsed = 203_000;
        for (uint256 i = 0; i < weights.length; ++i) gasUsed += weights[i] == 0 ? 10 : 40;
        require(this.ofState(weights) == gasUsed, "a byte costs forty gas, a zero byte ten");
    }

    function testFuzz_openingGas_tipCountsToAQuarter(uint56 baseFee, uint56 seed) external {
        VM.fee(baseFee);
        uint256 quarter = baseFee / 4;
        uint256 tip = seed % (2 * quarter + 2);
        VM.txGasPrice(baseFee + tip);
        require(OpeningGas.price() == baseFee + (tip < quarter ? tip : quarter), "a tip counts to a quarter");
    }

    function testFuzz_openingGas_onlyPlainAccountsPublish(uint160 account) external {
        address sender = address(account | (1 << 159));
        require(_mayPublish(sender, sender), "a plain account may");
        require(!_mayPublish(sender, address(this)), "a contract, or what calls through one, may not");
        require(!_mayPublish(address(this), address(this)), "nor may an account that has code");
    }

    function _mayPublish(address sender, address origin) private returns (bool) {
        VM.prank(sender, origin);
        try this.requirePlain() {
            return true;
        } catch {
            return false;
        }
    }

    function ofState(bytes calldata weights) external pure returns (uint256) {
        return OpeningGas.ofState(weights);
    }

    function requirePlain() external view {
        OpeningGas.requirePlain();
    }

    // --- rewards ----------------------------------------------------------------------------------------------

    function testFuzz_rewards_lesser_isTheWorseOfEachTerm(ArenaTerms memory a, ArenaTerms memory b) external pure {
        ArenaTerms memory least = Rewards.lesser(abi.decode(abi.encode(a), (ArenaTerms)), b);
        a.winnerReward = a.winnerReward < b.winnerReward ? a.winnerReward : b.winnerReward;
        a.loserReward = a.loserReward < b.loserReward ? a.loserReward : b.loserReward;
        a.rewardCapBps = a.rewardCapBps < b.rewardCapBps ? a.rewardCapBps : b.rewardCapBps;
        a.rewardCooldown = a.rewardCooldown > b.rewardCooldown ? a.rewardCooldown : b.rewardCooldown;
        require(keccak256(abi.encode(least)) == keccak256(abi.encode(a)), "no term is better than either season's");
    }

    function testFuzz_rewards_allowance_isWhatTheCapLeaves(
        Earnings memory e,
        uint96 burned,
        uint16 capBps
    ) external pure {
        uint256 cap = (uint256(burned) * capBps) / 10_000;
        e.total = uint120(e.total % (2 * cap + 1));
        uint256 left = e.allowance(burned, capBps);
        require(left + e.total == cap || (left == 0 && e.total > cap), "no more than the cap, whatever was credited");
    }

    /// @dev At the second before a cooldown ends, and at its end.
    function testFuzz_rewards_earn_topsUpToTheBest(
        Earnings memory e,
        uint96 reward,
        uint24 cooldown,
        uint96 allowed,
        bool over
    ) external {
        (reward, e.inCooldown) = (uint96(reward % MAX_REWARD), uint96(e.inCooldown % MAX_REWARD));
        (e.since, e.total) = (uint40(e.since % (1 << 32)), uint120(e.total % (1 << 118)));
        uint256 length = uint256(cooldown) + 1;
        VM.warp(e.since + length - (over ? 0 : 1));
        (uint256 due, Earnings memory expected) = _earned(e, reward, allowed, over);
        (uint256 credited, Earnings memory left) = e.earn(reward, length, allowed);
        require(credited == due, "the best reward of a cooldown, as far as the cap lets it be");
        require(
            keccak256(abi.encode(left)) == keccak256(abi.encode(expected)),
            "earnings say what was credited, and when"
        );
    }

    function _earned(
        Earnings memory e,
        uint256 reward,
        uint256 allowed,
        bool over
    ) private view returns (uint256 due, Earnings memory left) {
        left = abi.decode(abi.encode(e), (Earnings));
        bool running = e.since != 0 && !over;
        uint256 had = running ? e.inCooldown : 0;
        due = reward > had ? reward - had : 0;
        if (due > allowed) due = allowed;
        if (due == 0) return (due, left);
        (left.inCooldown, left.total) = (uint96(had + due), e.total + uint120(due));
        if (!running) left.since = uint40(VM.getBlockTimestamp());
    }
}
