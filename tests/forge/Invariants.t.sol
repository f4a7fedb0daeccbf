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
        targets = new FuzzSelector[](1);
        targets[0].addr = address(_handler);
        targets[0].selectors = _moves();
    }

    /// @dev A selector is drawn as often as it stands here: so that disputes get far, and trained windows are re-executed.
    function _moves() private view returns (bytes4[] memory moves) {
        bytes4[13] memory once = [
            _handler.stake.selector,
            _handler.announceWithdrawal.selector,
            _handler.cancelWithdrawal.selector,
            _handler.withdrawStake.selector,
            _handler.setDefender.selector,
            _handler.claimTimeout.selector,
            _handler.settleReward.selector,
            _handler.claimSteps.selector,
            _handler.withdrawCredit.selector,
            _handler.moveEnergy.selector,
            _handler.transferBeast.selector,
            _handler.setTrainer.selector,
            _handler.pass.selector
        ];
        bytes4[13] memory often = [
            _handler.submit.selector,
            _handler.submit.selector,
            _handler.file.selector,
            _handler.openSegments.selector,
            _handler.publish.selector,
            _handler.acceptOpenings.selector,
            _handler.commit.selector,
            _handler.prove.selector,
            _handler.advance.selector,
            _handler.challengeHeader.selector,
            _handler.dismiss.selector,
            _handler.finalize.selector,
            _handler.finalize.selector
        ];
        moves = new bytes4[](once.length + 3 * often.length);
        for (uint256 i = 0; i < once.length; ++i) moves[i] = once[i];
        for (uint256 i = 0; i < 3 * often.length; ++i) moves[once.length + i] = often[i / 3];
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
