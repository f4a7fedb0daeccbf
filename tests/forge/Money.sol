// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Held} from "./Books.sol";
import {Proofs} from "./Proofs.sol";
import {VM} from "./Vm.sol";

/// @title Moves of money, time and ownership
abstract contract Money is Proofs {
    uint256 private constant MAX_FEE = 40 gwei;

    function settleReward(uint256 seed) external move(seed) {
        (uint256 beastId, address trainer) = (_beast(), _actor());
        for (uint256 i = 0; i < BEASTS * _actors.length && !vault.holdsReward(beastId, trainer); ++i) {
            (beastId, trainer) = (1 + (i % BEASTS), _actors[i / BEASTS]);
        }
        _settle(beastId, trainer);
    }

    function _settle(uint256 beastId, address trainer) internal returns (bool ok) {
        (ok, ) = _try(
            "settleReward",
            _actor(),
            address(vault),
            0,
            abi.encodeCall(vault.settleReward, (beastId, trainer))
        );
        if (!ok) return false;
        Held memory h = _held[beastId][trainer];
        if (h.prover == address(0) && h.proof != 0) _pool[h.disputeId] = h.proof;
        delete _held[beastId][trainer];
    }

    function claimSteps(uint256 seed) external move(seed) {
        uint256 count = court.disputeCount();
        uint256 start = _draw(count + 1);
        for (uint256 i = 0; i < count; ++i) {
            uint256 disputeId = 1 + ((start + i) % count);
            if (_steps[disputeId] != 0) return _claimSteps(disputeId, _actor());
        }
    }

    function _claimSteps(uint256 disputeId, address actor) internal {
        uint256 credit = vault.creditOf(actor);
        bytes memory data = abi.encodeCall(vault.claimSteps, (disputeId));
        (bool ok, ) = _try("claimSteps", actor, address(vault), 0, data);
        if (!ok) return;
        uint256 coin = vault.creditOf(actor) - credit;
        claimedCoin += coin;
        if (coin != 0) dues[actor] += (_pool[disputeId] * _stepsOf[disputeId][actor]) / _steps[disputeId];
    }

    function withdrawCredit(uint256 seed) external move(seed) {
        _withdrawCredit(_actor());
    }

    function _withdrawCredit(address actor) internal {
        uint256 credit = vault.creditOf(actor);
        bytes memory data = abi.encodeCall(vault.withdrawCredit, (payable(actor)));
        (bool ok, ) = _try("withdrawCredit", actor, address(vault), 0, data);
        if (ok) pulled[actor] += credit;
        _check(ok == (credit != 0), "a credit cannot be withdrawn");
    }

    function moveEnergy(uint256 seed) external move(seed) {
        (address actor, uint256 amount) = (_actor(), _draw(20 ether));
        uint256 kind = _draw(4);
        if (kind == 0) _try("deposit", actor, address(ledger), 0, abi.encodeCall(ledger.deposit, (amount)));
        if (kind == 1) _try("withdraw", actor, address(ledger), 0, abi.encodeCall(ledger.withdraw, (amount, _actor())));
        if (kind == 2)
            _try("moveEscrow", actor, address(ledger), 0, abi.encodeCall(ledger.moveEscrow, (_actor(), amount)));
        if (kind == 3) {
            _mint(actor, amount);
            _mintedAgain();
        }
    }

    function transferBeast(uint256 seed) external move(seed) {
        uint256 beastId = _beast();
        address owner = beasts.ownerOf(beastId);
        bytes memory data = abi.encodeCall(beasts.transferFrom, (owner, _actor(), beastId));
        _try("transfer", owner, address(beasts), 0, data);
    }

    function setTrainer(uint256 seed) external move(seed) {
        uint256 beastId = _beast();
        bytes memory data = abi.encodeCall(beasts.setTrainer, (beastId, _actor(), _draw(4) != 0));
        _try("setTrainer", beasts.ownerOf(beastId), address(beasts), 0, data);
    }

    /// @dev Time passes, and gas becomes dearer or cheaper.
    function pass(uint256 seed) external move(seed) {
        _wait(_draw(120));
        uint256 fee = 1 + _draw(MAX_FEE);
        VM.fee(fee);
        VM.txGasPrice(fee + _draw(fee + 1));
    }
}
