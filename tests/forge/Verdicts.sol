// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IDisputeCourt} from "contracts/interfaces/IDisputeCourt.sol";
import {IDisputeVault} from "contracts/interfaces/IDisputeVault.sol";
import {Checkpoint} from "contracts/types/CheckpointTypes.sol";
import {Conviction, Opening} from "contracts/types/DisputeTypes.sol";
import {Books, Held} from "./Books.sol";
import {Log, VM} from "./Vm.sol";

/// @notice The court's word on who is paid.
/// @param openingsPaid what openings were paid at once
/// @param openings the same, and what waits for the dispute's end
struct Ruling {
    bool convicted;
    Conviction how;
    address filer;
    address prover;
    uint256 openingsPaid;
    uint256 openings;
    bool advanced;
}

/// @notice What a move of a dispute finds.
struct Before {
    uint256 stake;
    uint256 debt;
    uint256 pot;
    uint256 burned;
    uint8 missing;
}

/// @title What openings and convictions are worth, reckoned beside the vault
abstract contract Verdicts is Books {
    uint256 private constant MAX_BPS = 10_000;
    uint256 private constant SEGMENTS_GAS = 325_000;

    string[4] private _convictionNames = ["by timeout", "by segment", "by advance", "by header"];
    uint256 public slashBurned;

    /// @dev Sends a move of a dispute (0: of a checkpoint without one) and books what came of it.
    /// @param counted steps of this move that its sender is paid for
    function _act(
        string memory name,
        uint256 disputeId,
        uint256 record,
        address sender,
        bytes memory data,
        uint256 counted
    ) internal returns (bool ok) {
        Before memory b = _before(disputeId, record);
        VM.recordLogs();
        (ok, ) = _try(name, sender, address(court), 0, data);
        Ruling memory ruling = _rulingOf(VM.getRecordedLogs());
        if (!ok) return false;
        if (disputeId != 0) _bookOpenings(disputeId, record, b.missing);
        _openingPay[disputeId] += ruling.openings;
        uint256 owed = b.debt + ruling.openingsPaid - b.pot + _economics.stakeGas * _fee();
        _check(ruling.openingsPaid == 0 || b.stake >= owed, "an opening was paid at once that the stake cannot repay");
        if (counted != 0) _count("steps counted");
        _steps[disputeId] += counted;
        _stepsOf[disputeId][sender] += counted;
        if (ruling.convicted) _convict(disputeId, record, sender, ruling, b);
        if (disputeId != 0 && !_isOpen(disputeId)) _ended(disputeId);
    }

    function _before(uint256 disputeId, uint256 record) private view returns (Before memory b) {
        (uint256 beastId, address trainer) = (_beastOf[record], _records[record].trainer);
        b.stake = ledger.stakeOf(beastId, trainer).amount;
        b.debt = vault.debtOf(beastId, trainer);
        b.pot = potOf(beastId, trainer);
        b.burned = BURN.balance;
        b.missing = court.dispute(disputeId).missing;
    }

    function _rulingOf(Log[] memory logs) private pure returns (Ruling memory r) {
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IDisputeVault.OpeningPaid.selector) {
                (uint256 paid, uint256 waiting) = abi.decode(logs[i].data, (uint256, uint256));
                r.openingsPaid += paid;
                r.openings += paid + waiting;
            } else if (topic == IDisputeCourt.DisputeAdvanced.selector) {
                r.advanced = true;
            } else if (topic == IDisputeCourt.DisputeUpheld.selector) {
                r.convicted = true;
                (r.how, , r.filer, r.prover) = abi.decode(logs[i].data, (Conviction, uint8, address, address));
            }
        }
    }

    /// @dev An opening is worth its gas at most.
    function _bookOpenings(uint256 disputeId, uint256 record, uint8 missingBefore) private {
        uint8 made = missingBefore & ~court.dispute(disputeId).missing;
        Checkpoint memory c = _records[record];
        if (made & _bit(Opening.SEGMENTS) != 0) dues[c.trainer] += SEGMENTS_GAS * _openingPrice();
        if (made & _bit(Opening.STATE) != 0) {
            _check(_publicationCost[c.parent] != 0, "a state counts as opened that nobody published");
            dues[c.trainer] += _publicationCost[c.parent];
        }
        _check(made & _bit(Opening.RECORDS) == 0, "records count as opened that nobody published");
    }

    function _bit(Opening opening) internal pure returns (uint8) {
        return uint8(1 << uint8(opening));
    }

    function _convict(uint256 disputeId, uint256 record, address sender, Ruling memory r, Before memory b) private {
        Checkpoint memory c = _records[record];
        uint256 beastId = _beastOf[record];
        if (disputeId == 0) _check(r.filer == r.prover, "a filer is paid where nobody filed");
        else _check(r.filer == _filings[disputeId].filer, "a filing was paid to somebody else");
        if (r.how == Conviction.TIMEOUT) {
            bool late = _now() > _filings[disputeId].filedAt + _economics.responseWindow;
            _check(late && _isSilent(disputeId), "a timeout convicted who had answered, or still could");
        }
        bool known = r.prover == address(0) || r.prover == r.filer || r.prover == sender;
        _check(known, "a proof was paid to somebody who did not send it");
        _check(ledger.stakeOf(beastId, c.trainer).amount == 0, "a stake stands after a conviction");

        _count(_convictionNames[uint8(r.how)]);
        _shareEnergy(disputeId, c, r);
        _awaitBelow(beastId, c);
        uint256 debts = b.debt + r.openingsPaid - b.pot;
        if (debts != 0) _count("repaid");
        if (debts > b.stake) debts = b.stake;
        uint256 rest = b.stake - debts;
        slashedCoin += b.stake;
        repaidDebts += debts;
        slashBurned += BURN.balance - b.burned;
        bool cheap = r.how == Conviction.TIMEOUT || r.how == Conviction.HEADER;
        Held memory h = Held({
            filing: (rest * _economics.filingBps) / MAX_BPS,
            proof: (rest * _economics.proofBps) / MAX_BPS,
            filer: r.filer,
            prover: r.prover,
            disputeId: disputeId,
            gasCap: cheap ? 400_000 : 2_500_000
        });
        _takeOver(_held[beastId][c.trainer], h);
        if (h.filer == address(0)) h.filing = 0;
        if (h.prover == address(0)) h.proof = r.advanced ? (h.proof * _steps[disputeId]) / 128 : 0;
        else dues[h.prover] += h.proof;
        dues[h.filer] += h.filing;
        _held[beastId][c.trainer] = h;
    }

    /// @dev The shares of what the offender locked.
    function _shareEnergy(uint256 disputeId, Checkpoint memory c, Ruling memory r) private {
        uint256 locked = uint256(c.payload.energyBurn) + c.bond;
        uint256 proof = (locked * _economics.proofBps) / MAX_BPS;
        if (r.filer != address(0)) _escrow[r.filer] += (locked * _economics.filingBps) / MAX_BPS;
        if (r.prover != address(0)) _escrow[r.prover] += proof;
        else if (r.advanced) _energyPool[disputeId] = (proof * _steps[disputeId]) / 128;
    }

    function _awaitBelow(uint256 beastId, Checkpoint memory c) private {
        uint256[] storage below = _below[beastId][c.trainer];
        while (below.length != 0) below.pop();
        for (uint256 i = 0; i < _pending.length; ++i) {
            bool isBelow = _beastOf[_pending[i]] == beastId && _records[_pending[i]].index < c.index;
            if (isBelow && _isLive(_pending[i])) below.push(_pending[i]);
        }
    }

    /// @dev A reward that is still held becomes part of the new one, less the gas of the conviction that it was for.
    function _takeOver(Held memory old, Held memory h) private {
        uint256 carried = old.filing + old.proof;
        if (carried == 0) return;
        _count("taken over");
        dues[old.filer] -= old.filing;
        if (old.prover != address(0)) dues[old.prover] -= old.proof;
        uint256 gasPaid = old.gasCap * _fee();
        if (gasPaid > old.proof) gasPaid = old.proof;
        dues[old.prover == address(0) ? old.filer : old.prover] += gasPaid;
        carried -= gasPaid;
        uint256 bps = uint256(_economics.filingBps) + _economics.proofBps;
        uint256 part = (carried * _economics.filingBps) / bps;
        h.filing += part;
        h.proof += carried - part;
    }
}
