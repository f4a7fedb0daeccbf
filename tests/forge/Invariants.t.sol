// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Handler} from "./Handler.sol";

/// @title Random histories of ledger, court and vault
/// @dev One campaign for all invariants: each of its own would run all histories again.
contract Invariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;

    function setUp() external {
        _handler = new Handler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[26] memory moves = [
            _handler.stake.selector,
            _handler.announceWithdrawal.selector,
            _handler.cancelWithdrawal.selector,
            _handler.withdrawStake.selector,
            _handler.submit.selector,
            _handler.finalize.selector,
            _handler.file.selector,
            _handler.setDefender.selector,
            _handler.openSegments.selector,
            _handler.publish.selector,
            _handler.acceptOpenings.selector,
            _handler.commit.selector,
            _handler.prove.selector,
            _handler.advance.selector,
            _handler.challengeHeader.selector,
            _handler.claimTimeout.selector,
            _handler.dismiss.selector,
            _handler.settleReward.selector,
            _handler.claimSteps.selector,
            _handler.withdrawCredit.selector,
            _handler.moveEnergy.selector,
            _handler.transferBeast.selector,
            _handler.setTrainer.selector,
            _handler.pass.selector,
            _handler.submit.selector,
            _handler.file.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0].addr = address(_handler);
        targets[0].selectors = new bytes4[](moves.length);
        for (uint256 i = 0; i < moves.length; ++i) targets[0].selectors[i] = moves[i];
    }

    function invariant_books() external view {
        _handler.checkMoves();
        _handler.checkEnergy();
        _handler.checkStakes();
        _handler.checkVault();
        _handler.checkCredits();
        _handler.checkRewards();
        _handler.checkDisputes();
        _handler.checkFinality();
    }

    function afterInvariant() external {
        _handler.close();
    }
}
