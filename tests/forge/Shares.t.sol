// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Payees, StakeReward} from "contracts/types/DisputeTypes.sol";
import {Protocol} from "./Protocol.sol";
import {VM} from "./Vm.sol";

/// @title What becomes of a slashed stake, for any stake and any shares that the registry takes
contract Shares is Protocol {
    uint256 private constant BPS = 10_000;
    uint256 private constant STEPS = 128;
    address private constant BURN = 0x000000000000000000000000000000000000dEaD;
    address private constant TRAINER = address(0x7EA1);

    function testFuzz_takeStake_sharesRoundDown_andTheRestBurns(
        uint96 stake,
        uint16 filing,
        uint16 proof,
        uint8 payees,
        uint8 steps
    ) external {
        (uint16 filingBps, uint16 proofBps) = _shares(filing, proof);
        Payees memory p = _payees(payees, steps);
        uint256 burned = _take(stake, p, filingBps, proofBps);
        StakeReward memory held = vault.rewardOf(1, TRAINER);
        require(uint256(held.filing) + held.proof + burned == stake, "a stake is shared or burned, all of it");
        require(2 * burned >= stake, "at least half of it burns");
        _requireShare(held.filing, p.filer == address(0) ? 0 : stake, filingBps);
        uint256 proofShare = (uint256(stake) * proofBps) / BPS;
        if (p.prover != address(0)) require(held.proof == proofShare, "a prover gets the proof share");
        else require(held.proof == (proofShare * p.steps) / STEPS, "else the committed steps get their part");
    }

    function testFuzz_takeStake_again_takesOverWhatIsHeld(
        uint96 first,
        uint96 second,
        uint16 filing,
        uint16 proof,
        uint8 payees
    ) external {
        (uint16 filingBps, uint16 proofBps) = _shares(filing, proof);
        Payees memory p = _payees(payees, 77);
        (p.filer, p.gasCap) = (address(0xF11E), uint32(first % 2_500_000));
        uint256 burned = _take(first, p, filingBps, proofBps);
        StakeReward memory old = vault.rewardOf(1, TRAINER);
        address paid = p.prover == address(0) ? p.filer : p.prover;
        uint256 before = vault.creditOf(paid);
        burned += _take(second, p, filingBps, proofBps);
        StakeReward memory held = vault.rewardOf(1, TRAINER);
        uint256 gasPaid = vault.creditOf(paid) - before;
        uint256 shared = uint256(held.filing) + held.proof + gasPaid;
        require(shared + burned == uint256(first) + second, "nothing is lost between two convictions");
        require(gasPaid <= old.proof, "who convicted first is paid its gas out of the proof share at most");
    }

    function _take(uint96 stake, Payees memory p, uint16 filingBps, uint16 proofBps) private returns (uint256) {
        uint256 before = BURN.balance;
        VM.deal(address(ledger), stake);
        VM.prank(address(ledger));
        vault.takeStake{value: stake}(1, TRAINER, 7, p, filingBps, proofBps);
        return BURN.balance - before;
    }

    /// @dev As SeasonRegistry bounds them: half in all, and filing is always paid.
    function _shares(uint16 filing, uint16 proof) private pure returns (uint16 filingBps, uint16 proofBps) {
        filingBps = 1 + (filing % 5_000);
        proofBps = proof % (5_001 - filingBps);
    }

    function _payees(uint8 kind, uint8 steps) private pure returns (Payees memory p) {
        p.disputeId = 3;
        if (kind & 1 != 0) p.filer = address(0xF11E);
        if (kind & 2 != 0) p.prover = address(0x7807E);
        p.steps = steps % 129;
    }

    function _requireShare(uint256 share, uint256 whole, uint256 bps) private pure {
        require(
            share * BPS <= whole * bps && (share + 1) * BPS > whole * bps,
            "a share is rounded down by less than a unit"
        );
    }
}
