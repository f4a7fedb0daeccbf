// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CheckpointStatus} from "contracts/types/CheckpointTypes.sol";
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
        if (h.prover == address(0) && h.proof != 0) _coinPool[h.disputeId] = h.proof;
        delete _held[beastId][trainer];
        uint256[] storage below = _below[beastId][trainer];
        for (uint256 i = 0; i < below.length; ++i) {
            CheckpointStatus status = _statusOf(below[i]);
            bool settled = status == CheckpointStatus.FINAL || status == CheckpointStatus.UNKNOWN_OR_VOID;
            _check(settled, "a reward was paid while a window below could still fall");
        }
    }

    function claimSteps(uint256 seed) external move(seed) {
        uint256 count = court.disputeCount();
        uint256 start = _draw(count + 1);
        for (uint256 i = 0; i < count; ++i) {
            uint256 disputeId = 1 + ((start + i) % count);
            address actor = _actor();
            if (_stepsOf[disputeId][actor] != 0) return _claimSteps(disputeId, actor);
        }
    }

    function _claimSteps(uint256 disputeId, address actor) internal {
        uint256 credit = vault.creditOf(actor);
        bytes memory data = abi.encodeCall(vault.claimSteps, (disputeId));
        (bool ok, ) = _try("claimSteps", actor, address(vault), 0, data);
        if (!ok) return;
        uint256 coin = vault.creditOf(actor) - credit;
        claimedCoin += coin;
        if (coin != 0 && !_coinClaimed[disputeId][actor]) {
            _coinClaimed[disputeId][actor] = true;
            dues[actor] += _shareOf(_coinPool[disputeId], disputeId, actor);
        }
        if (_energyPool[disputeId] != 0 && !_energyClaimed[disputeId][actor]) {
            _energyClaimed[disputeId][actor] = true;
            _escrow[actor] += _shareOf(_energyPool[disputeId], disputeId, actor);
        }
    }

    function _shareOf(uint256 pool, uint256 disputeId, address actor) private view returns (uint256) {
        return (pool * _stepsOf[disputeId][actor]) / _steps[disputeId];
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
        (address actor, address other, uint256 amount) = (_actor(), _actor(), _draw(20 ether));
        uint256 kind = _draw(4);
        if (kind == 0) {
            _mint(actor, amount);
            _mintedAgain();
        } else if (kind == 1) {
            if (_moved("deposit", actor, abi.encodeCall(ledger.deposit, (amount)))) _escrow[actor] += amount;
        } else if (kind == 2) {
            bytes memory data = abi.encodeCall(ledger.withdraw, (amount, other));
            if (_moved("withdraw", actor, data)) _escrow[actor] -= amount;
        } else if (_moved("moveEscrow", actor, abi.encodeCall(ledger.moveEscrow, (other, amount)))) {
            _escrow[actor] -= amount;
            _escrow[other] += amount;
        }
    }

    function _moved(string memory name, address actor, bytes memory data) private returns (bool ok) {
        (ok, ) = _try(name, actor, address(ledger), 0, data);
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
