// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Slots} from "contracts/libraries/Slots.sol";
import {Checkpoint, CheckpointPayload, Head, Stake} from "contracts/types/CheckpointTypes.sol";
import {StateHeader} from "contracts/types/KernelTypes.sol";
import {Books, Preimage} from "./Books.sol";
import {TrueWindow} from "./Protocol.sol";
import {VM} from "./Vm.sol";

/// @title Moves of trainers: stakes, submissions, finality
abstract contract Training is Books {
    uint256 private constant KINDS = 12;

    constructor() {
        for (uint256 id = 1; id <= BEASTS; ++id) {
            if (id == PRIVATE_BEAST) continue;
            TrueWindow storage w = _trueWindows[id];
            _preimages[w.segments[15]] = Preimage(w.end, w.weightsRoot, true);
        }
    }

    // --- stakes -----------------------------------------------------------------------------------------------

    function stake(uint256 seed) external move(seed) {
        (uint256 beastId, address trainer) = (_beast(), _actor());
        uint256 amount = ledger.requiredStake(beastId) * _draw(4) + _draw(1_000);
        if (_draw(2) == 0) {
            _try("stake", trainer, address(ledger), amount, abi.encodeCall(ledger.stake, (beastId)));
        } else {
            _try("stakeFor", _actor(), address(ledger), amount, abi.encodeCall(ledger.stakeFor, (beastId, trainer)));
        }
    }

    function announceWithdrawal(uint256 seed) external move(seed) {
        (uint256 beastId, address trainer) = _staker();
        _try("announce", trainer, address(ledger), 0, abi.encodeCall(ledger.announceWithdrawal, (beastId)));
    }

    function cancelWithdrawal(uint256 seed) external move(seed) {
        (uint256 beastId, address trainer) = _staker();
        _try("cancel", trainer, address(ledger), 0, abi.encodeCall(ledger.cancelWithdrawal, (beastId)));
    }

    function withdrawStake(uint256 seed) external move(seed) {
        (uint256 beastId, address trainer) = _staker();
        Stake memory s = ledger.stakeOf(beastId, trainer);
        if (s.withdrawableAt != 0 && _draw(2) == 0) _waitUntil(s.withdrawableAt);
        bytes memory data = abi.encodeCall(ledger.withdrawStake, (beastId, payable(trainer)));
        (bool ok, ) = _try("withdrawStake", trainer, address(ledger), 0, data);
        for (uint256 i = 0; ok && i < _pending.length; ++i) {
            bool answers = _beastOf[_pending[i]] == beastId && _records[_pending[i]].trainer == trainer;
            _check(!answers, "a stake left while a window of its trainer could still fall");
        }
    }

    /// @dev Somebody who has a stake on a beast, if the first that is looked at has one.
    function _staker() private returns (uint256 beastId, address trainer) {
        uint256 pairs = BEASTS * _actors.length;
        uint256 start = _draw(pairs);
        for (uint256 i = 0; i < pairs; ++i) {
            uint256 pair = (start + i) % pairs;
            (beastId, trainer) = (1 + (pair % BEASTS), _actors[pair / BEASTS]);
            if (ledger.stakeOf(beastId, trainer).amount != 0) return (beastId, trainer);
        }
    }

    // --- submissions ------------------------------------------------------------------------------------------

    function submit(uint256 seed) external move(seed) {
        _submit();
    }

    function _submit() internal {
        uint256 beastId = _beast();
        address trainer = _draw(4) == 0 ? _actor() : beasts.ownerOf(beastId);
        _topUp(beastId, trainer);
        Head memory h = ledger.head(beastId);
        bytes32 epochSeed = ledger.epochOf(beastId, h.epoch).epochSeed;
        bool accept = _draw(4) != 0;
        uint256 count = _draw(3) == 0 ? 1 + _draw(h.epochEnd - h.headCount) : 1;
        bytes32 parent = h.h128;
        Checkpoint[] memory made = new Checkpoint[](count);
        CheckpointPayload[] memory payloads = new CheckpointPayload[](count);
        for (uint256 i = 0; i < count; ++i) {
            payloads[i] = _payload(beastId, h);
            made[i] = _grow(h, trainer, payloads[i]);
        }
        bytes memory data =
            count == 1
                ? abi.encodeCall(ledger.submit, (beastId, parent, epochSeed, payloads[0], accept))
                : abi.encodeCall(ledger.submitBatch, (beastId, parent, epochSeed, payloads, accept));
        (bool ok, ) = _try("submit", trainer, address(ledger), 0, data);
        if (!ok) return;
        for (uint256 i = 0; i < count; ++i) _submitted(beastId, made[i]);
        Stake memory s = ledger.stakeOf(beastId, trainer);
        bool staked = s.amount >= _economics.stakeGas * _fee() && s.withdrawableAt == 0;
        _check(staked, "somebody submitted without a stake that stays");
    }

    /// @dev Usually a trainer sees to it that it may submit.
    function _topUp(uint256 beastId, address trainer) private {
        if (_draw(8) == 0 || vault.holdsReward(beastId, trainer)) return;
        Stake memory s = ledger.stakeOf(beastId, trainer);
        uint256 required = ledger.requiredStake(beastId);
        if (s.withdrawableAt != 0 && _draw(2) == 0) {
            VM.prank(trainer);
            ledger.cancelWithdrawal(beastId);
        }
        if (s.amount >= required) return;
        VM.prank(trainer);
        ledger.stake{value: required * (1 + _draw(3))}(beastId);
    }

    /// @dev A payload that the ledger takes. Of its hash nothing is known, or its preimage, which may contradict it; or it is
    /// the true end of the window.
    function _payload(uint256 beastId, Head memory h) private returns (CheckpointPayload memory p) {
        uint256 kind = _draw(KINDS);
        p.epoch = h.epoch;
        p.lrShift = h.lrShift;
        p.activeMask = h.activeMask;
        p.globalStep = (h.headCount + 1) * 128;
        p.windowLoss = uint32(_draw(524_160));
        bool first = h.headCount == 0 && beastId != PRIVATE_BEAST;
        if (first && kind < 5) {
            p.h128 = _trueWindows[beastId].segments[15];
            p.windowLoss = _trueWindows[beastId].end.windowLoss;
        } else if (kind < 5) {
            p.h128 = keccak256(abi.encode("nobody can open this", beastId, _draw(type(uint256).max)));
            if (kind == 4) p.activeMask |= uint8(1 << _draw(8));
        } else {
            p.h128 = _openable(beastId, h, p, kind >= 10);
        }
        if (beastId == PRIVATE_BEAST && _draw(4) == 0) p.source = PRIVATE;
        uint256 price = Slots.windowPrice(_economics.baseCost, _economics.growthCost, h.activeMask, p.activeMask);
        p.energyBurn = uint128(price);
    }

    /// @dev The hash of a state without weights, whose header fits the payload or contradicts it.
    function _openable(
        uint256 beastId,
        Head memory h,
        CheckpointPayload memory p,
        bool contradicts
    ) private returns (bytes32 state) {
        StateHeader memory header = StateHeader({
            beastId: beastId,
            parent: h.headCount == 0 ? _genesis[beastId] : h.h128,
            globalStep: p.globalStep,
            activeMask: p.activeMask,
            windowLoss: p.windowLoss,
            arena: _draw(type(uint256).max)
        });
        if (contradicts) {
            uint256 lie = _draw(3);
            if (lie == 0) header.windowLoss ^= 1;
            else if (lie == 1) header.parent = bytes32(uint256(header.parent) ^ 1);
            else header.globalStep += 128;
        }
        state = referee.hashState(header, _zeroWeightsRoot);
        _preimages[state] = Preimage(header, _zeroWeightsRoot, true);
    }

    /// @dev The record that the ledger makes of the payload; moves the head onto it.
    function _grow(
        Head memory h,
        address trainer,
        CheckpointPayload memory p
    ) private view returns (Checkpoint memory c) {
        uint128 bond = p.energyBurn * _economics.trainerBondMultiple;
        h.lockedSum += p.energyBurn + bond;
        c = Checkpoint({
            index: h.headCount,
            generation: h.generation,
            parent: h.h128,
            payload: p,
            season: h.season,
            trainer: trainer,
            submittedAt: uint64(_now()),
            bond: bond,
            lockedSum: h.lockedSum
        });
        h.h128 = p.h128;
        h.headCount += 1;
        h.activeMask = p.activeMask;
    }

    // --- finality ---------------------------------------------------------------------------------------------

    function finalize(uint256 seed) external move(seed) {
        uint256 beastId = _beast();
        uint256 from = ledger.head(beastId).finalCount;
        uint256 left = _chains[beastId].length - from;
        if (left == 0) return;
        Checkpoint[] memory batch = new Checkpoint[](1 + _draw(left));
        for (uint256 i = 0; i < batch.length; ++i) batch[i] = _records[_chains[beastId][from + i]];
        if (_draw(4) == 0) _waitUntil(batch[batch.length - 1].submittedAt + _economics.challengePeriod);
        _finalize(beastId, batch);
    }

    function _finalize(uint256 beastId, Checkpoint[] memory batch) internal returns (bool ok) {
        bytes memory data = abi.encodeCall(ledger.finalize, (beastId, batch));
        (ok, ) = _try("finalize", _actor(), address(ledger), 0, data);
        for (uint256 i = 0; ok && i < batch.length; ++i) _escrow[batch[i].trainer] += batch[i].bond;
    }
}
