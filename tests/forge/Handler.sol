// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoint, CheckpointStatus, Head, Stake} from "contracts/types/CheckpointTypes.sol";
import {OpeningBond, StakeReward} from "contracts/types/DisputeTypes.sol";
import {Filing, Held} from "./Books.sol";
import {Money} from "./Money.sol";
import {VM} from "./Vm.sol";

/// @title The invariants, held against the books after every move, and the way out at the end of a run
contract Handler is Money {
    // --- after every move -------------------------------------------------------------------------------------

    function checkMoves() external view {
        require(bytes(wrong).length == 0, wrong);
    }

    function checkEnergy() public view {
        uint256 expected = ledger.escrowOf(address(vault));
        for (uint256 i = 0; i < _actors.length; ++i) {
            uint256 escrow = ledger.escrowOf(_actors[i]);
            require(escrow == _escrow[_actors[i]], "everybody's escrow is what the rules give him");
            expected += escrow;
        }
        for (uint256 i = 0; i < _pending.length; ++i) {
            Checkpoint storage c = _records[_pending[i]];
            expected += c.payload.energyBurn + c.bond;
        }
        for (uint256 i = 0; i < _open.length; ++i) expected += _filings[_open[i]].bond;
        require(
            energy.balanceOf(address(ledger)) == expected,
            "the ledger's ENERGY is its escrows, the locks of live pending checkpoints and the bonds of open disputes"
        );
        require(energy.totalSupply() <= minted, "there is no more ENERGY than was minted");
    }

    function checkStakes() external view {
        uint256 expected = 0;
        for (uint256 id = 1; id <= BEASTS; ++id) {
            for (uint256 i = 0; i < _actors.length; ++i) expected += ledger.stakeOf(id, _actors[i]).amount;
        }
        require(address(ledger).balance == expected, "the ledger's native coin is the stakes");
        require(
            2 * slashBurned >= slashedCoin - repaidDebts,
            "at least half of what was slashed burns, but for what repays debts"
        );
    }

    function checkVault() public view {
        uint256 expected = 0;
        for (uint256 i = 0; i < _open.length; ++i) {
            OpeningBond memory b = vault.bondOf(_open[i]);
            uint256 bond = uint256(b.base) + b.surplus;
            require(b.paid + b.waiting <= bond, "openings are paid out of their bond");
            expected += bond - b.paid;
        }
        for (uint256 i = 0; i < _actors.length; ++i) {
            expected += vault.creditOf(_actors[i]);
            for (uint256 id = 1; id <= BEASTS; ++id) {
                StakeReward memory r = vault.rewardOf(id, _actors[i]);
                expected += uint256(r.filing) + r.proof + potOf(id, _actors[i]);
            }
        }
        for (uint256 id = 1; id <= court.disputeCount(); ++id) expected += poolOf(id);
        require(
            address(vault).balance == expected - claimedCoin,
            "the vault's native coin is what is left of opening bonds, credits, held rewards, step pools and pots"
        );
    }

    function checkCredits() public view {
        for (uint256 i = 0; i < _actors.length; ++i) {
            uint256 credited = vault.creditOf(_actors[i]) + pulled[_actors[i]];
            require(credited <= dues[_actors[i]], "nobody is credited more than the rules give him");
        }
    }

    function checkRewards() external view {
        for (uint256 id = 1; id <= BEASTS; ++id) {
            for (uint256 i = 0; i < _actors.length; ++i) {
                StakeReward memory r = vault.rewardOf(id, _actors[i]);
                Held storage h = _held[id][_actors[i]];
                require(
                    r.filing == h.filing && r.proof == h.proof,
                    "a held reward is the shares of the stake that the rules give"
                );
            }
        }
    }

    function checkDisputes() external view {
        for (uint256 i = 0; i < _open.length; ++i) {
            Filing storage f = _filings[_open[i]];
            require(_isOpen(f.id), "a dispute ends by a move of its own");
            bytes32 digest = court.dispute(f.id).digest;
            require(ledger.standingOf(digest).disputeId == f.id, "there is one open dispute per record at most");
            OpeningBond memory b = vault.bondOf(f.id);
            require(b.base == f.base && b.surplus == f.surplus, "an opening bond is what the rules ask for");
            (uint256 beastId, address trainer) = (_beastOf[f.record], _records[f.record].trainer);
            if (!_isLive(f.record)) continue;
            bool disputed = _statusOf(f.record) == CheckpointStatus.DISPUTED;
            require(disputed, "a disputed checkpoint does not become final");
            require(
                _paidOnLive(beastId, trainer) <= ledger.stakeOf(beastId, trainer).amount + potOf(beastId, trainer),
                "a stake repays what its trainer was paid for openings of windows that stand"
            );
        }
    }

    function _paidOnLive(uint256 beastId, address trainer) private view returns (uint256 paid) {
        for (uint256 i = 0; i < _open.length; ++i) {
            uint256 record = _filings[_open[i]].record;
            if (_beastOf[record] != beastId || _records[record].trainer != trainer) continue;
            if (_isLive(record)) paid += vault.bondOf(_open[i]).paid;
        }
    }

    function checkFinality() external view {
        for (uint256 id = 1; id <= BEASTS; ++id) {
            Head memory h = ledger.head(id);
            require(h.headCount >= h.finalCount, "no checkpoint is final that does not stand");
            require(h.headCount == _chains[id].length, "a beast's head is the last record that stands");
        }
        for (uint256 i = 0; i < _finals.length; ++i) {
            require(_statusOf(_finals[i]) == CheckpointStatus.FINAL, "a final checkpoint stays final");
        }
    }

    // --- at the end of a run ----------------------------------------------------------------------------------

    /// @notice Everything comes to its end, and everybody takes home what is his.
    function close() external {
        _report();
        _endDisputes();
        for (uint256 id = 1; id <= BEASTS; ++id) _finalizeAll(id);
        for (uint256 id = 1; id <= BEASTS; ++id) {
            for (uint256 i = 0; i < _actors.length; ++i) _leave(id, _actors[i]);
        }
        uint256 count = court.disputeCount();
        for (uint256 i = 0; i < _actors.length; ++i) {
            for (uint256 id = 1; id <= count; ++id) {
                if (_stepsOf[id][_actors[i]] == 0) continue;
                _claimSteps(id, _actors[i]);
                _claimSteps(id, _actors[i]);
            }
        }
        checkEnergy();
        checkVault();
        checkCredits();
        for (uint256 i = 0; i < _actors.length; ++i) _withdrawCredit(_actors[i]);
        require(bytes(wrong).length == 0, wrong);
        require(address(ledger).balance == 0, "no native coin is left in the ledger once all stakes are withdrawn");
        // Of a pool up to a unit per account that shares it.
        uint256 dust = count * _actors.length;
        require(address(vault).balance <= dust, "no native coin is left in the vault once all credits are withdrawn");
        require(ledger.escrowOf(address(vault)) <= dust, "no ENERGY is left in the vault once all steps are claimed");
    }

    function _endDisputes() private {
        uint256[] memory open = _open;
        for (uint256 i = 0; i < open.length; ++i) {
            Filing memory f = _filings[open[i]];
            _waitUntil(f.filedAt + _economics.responseWindow + _economics.proofWindow + 1);
            bool ended = _dismiss(f.id, f.record) || _claimTimeout(f.id, f.record);
            require(ended && !_isOpen(f.id), "a dispute ends within its two windows once somebody calls");
            _follow();
        }
    }

    function _finalizeAll(uint256 beastId) private {
        uint256 count = ledger.head(beastId).finalCount;
        Checkpoint[] memory batch = new Checkpoint[](_chains[beastId].length - count);
        if (batch.length == 0) return;
        for (uint256 i = 0; i < batch.length; ++i) batch[i] = _records[_chains[beastId][count + i]];
        _waitUntil(batch[batch.length - 1].submittedAt + _economics.challengePeriod);
        require(_finalize(beastId, batch), "undisputed checkpoints become final when their time has come");
        _follow();
    }

    function _leave(uint256 beastId, address trainer) private {
        if (vault.holdsReward(beastId, trainer)) {
            require(_settle(beastId, trainer), "a reward is due once all checkpoints are final");
        }
        require(vault.debtOf(beastId, trainer) == 0, "there is no debt without an open dispute");
        require(potOf(beastId, trainer) == 0, "nothing is set aside without an open dispute");
        Stake memory s = ledger.stakeOf(beastId, trainer);
        if (s.amount == 0) return;
        if (s.withdrawableAt == 0) {
            VM.prank(trainer);
            ledger.announceWithdrawal(beastId);
            s = ledger.stakeOf(beastId, trainer);
        }
        _waitUntil(s.withdrawableAt);
        VM.prank(trainer);
        ledger.withdrawStake(beastId, payable(trainer));
    }
}
