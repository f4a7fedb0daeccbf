// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoint} from "contracts/types/CheckpointTypes.sol";
import {ProofClaim, StateOpening} from "contracts/types/DisputeTypes.sol";
import {StateHeader} from "contracts/types/KernelTypes.sol";
import {Preimage} from "./Books.sol";
import {Disputes} from "./Disputes.sol";
import {TrueWindow} from "./Protocol.sol";

/// @title Moves of provers: commitments, segments, steps, headers
abstract contract Proofs is Disputes {
    uint8 private constant WINDOW_STEPS = 128;
    /// @dev Where `advance` may part a true window: the state after these steps is known.
    uint8 private constant LATE_STEP = 120;
    uint8 private constant LAST_STEPS = WINDOW_STEPS - LATE_STEP;
    uint8 private constant HEADER = 16;
    bytes32 private constant SALT = "salt";

    // --- commitments ------------------------------------------------------------------------------------------

    /// @dev To a proof of a segment, to steps, or to a challenge of the header.
    function commit(uint256 seed) external move(seed) {
        if (_pending.length == 0) return _submit();
        (uint256 disputeId, uint256 record) = _openDispute(_isAdvanceable);
        if (disputeId == 0 || _draw(4) == 0) record = _pending[_draw(_pending.length)];
        address sender = _actor();
        bytes32 commitment = keccak256(bytes.concat(abi.encode(sender), _committed(record)));
        _try("commit", sender, address(court), 0, abi.encodeCall(court.commit, (commitment)));
    }

    function _committed(uint256 record) private returns (bytes memory) {
        bytes32[16] storage truth = _trueWindows[_beastOf[record]].segments;
        uint256 kind = _draw(8);
        if (!_isTrained(record) || kind == 0) return _headerProof(record);
        if (kind == 1) return _segmentProof(record, 0, truth[0]);
        if (kind == 2) return _segmentProof(record, 15, truth[15]);
        if (kind < 5) return _stepsProof(record, 0, LATE_STEP, truth[14]);
        if (kind < 7) return _stepsProof(record, LATE_STEP, LAST_STEPS, truth[15]);
        return _stepsProof(record, 0, WINDOW_STEPS, truth[15]);
    }

    /// @dev What follows the sender in a commitment.
    function _segmentProof(uint256 record, uint8 k, bytes32 result) private view returns (bytes memory) {
        return abi.encode(_digestOf(record), k, result, SALT);
    }

    function _headerProof(uint256 record) private view returns (bytes memory) {
        Preimage memory found = _preimages[_records[record].payload.h128];
        return abi.encode(_digestOf(record), HEADER, keccak256(abi.encode(found.header, found.weightsRoot)), SALT);
    }

    function _stepsProof(uint256 record, uint8 first, uint8 steps, bytes32 result) private view returns (bytes memory) {
        return abi.encode(_digestOf(record), first, steps, result, SALT);
    }

    function _digestOf(uint256 record) private view returns (bytes32) {
        return ledger.digestOf(_beastOf[record], _records[record]);
    }

    /// @dev Somebody who committed in an earlier block, else anybody.
    function _committer(bytes memory proof) private returns (address sender, bool committed) {
        uint256 start = _draw(_actors.length);
        for (uint256 i = 0; i < _actors.length; ++i) {
            sender = _actors[(start + i) % _actors.length];
            uint256 blockNumber = court.committedIn(keccak256(bytes.concat(abi.encode(sender), proof)));
            if (blockNumber != 0 && blockNumber < _block()) return (sender, true);
        }
    }

    // --- segments ---------------------------------------------------------------------------------------------

    /// @dev The first segment, or the last one, of a window whose truth is known.
    function prove(uint256 seed) external move(seed) {
        (uint256 disputeId, uint256 record) = _openDispute(_isProvable);
        if (disputeId == 0) return _file();
        TrueWindow memory truth = _trueWindows[_beastOf[record]];
        uint8 k = _segments[disputeId][0] == truth.segments[0] ? 15 : 0;
        bool wrong_ = _segments[disputeId][k] != truth.segments[k];
        (address sender, ) = _committer(_segmentProof(record, k, truth.segments[k]));
        if (_draw(4) == 0) sender = _actor();
        bool ok = _act("prove", disputeId, record, sender, _proveCall(disputeId, record, k, truth), 0);
        if (ok) _check(wrong_, "a true segment was proven wrong");
    }

    function _isProvable(uint256 disputeId) private view returns (bool) {
        return _isTrained(_filings[disputeId].record) && _segments[disputeId][15] != 0;
    }

    function _proveCall(
        uint256 disputeId,
        uint256 record,
        uint8 k,
        TrueWindow memory truth
    ) private view returns (bytes memory) {
        ProofClaim memory claim = _claim(disputeId, record);
        bytes32[16] memory segments = _segments[disputeId];
        StateHeader memory header;
        bytes memory weights;
        if (k == 15) (header, weights) = (truth.late, truth.lateWeights);
        return abi.encodeCall(court.prove, (claim, segments, k, header, weights, "", SALT));
    }

    // --- whole windows ----------------------------------------------------------------------------------------

    /// @dev In one go, or in two: the first part runs from hatch, the second from the state that is known.
    function advance(uint256 seed) external move(seed) {
        (uint256 disputeId, uint256 record) = _openDispute(_isAdvanceable);
        if (disputeId == 0) return _file();
        TrueWindow memory truth = _trueWindows[_beastOf[record]];
        uint8 first = court.dispute(disputeId).stepsDone;
        uint8 steps =
            first != 0
                ? LAST_STEPS
                : _draw(4) == 0
                    ? WINDOW_STEPS
                    : LATE_STEP;
        bool last = first + steps == WINDOW_STEPS;
        bytes32 result = truth.segments[last ? 15 : 14];
        (address sender, bool counted) = _committer(_stepsProof(record, first, steps, result));
        bytes memory data = _advanceCall(_claim(disputeId, record), steps, truth, first == 0);
        bool ok = _act("advance", disputeId, record, sender, data, counted ? steps : 0);
        if (!ok || !last) return;
        bool right = _records[record].payload.h128 == truth.segments[15];
        _check(right == _isLive(record), "re-execution convicted a true window, or kept a false one");
    }

    function _isAdvanceable(uint256 disputeId) private view returns (bool) {
        return _isTrained(_filings[disputeId].record);
    }

    function _advanceCall(
        ProofClaim memory claim,
        uint8 steps,
        TrueWindow memory truth,
        bool fromHatch
    ) private view returns (bytes memory) {
        bytes memory weights = fromHatch ? bytes("") : truth.lateWeights;
        StateOpening memory end = StateOpening(truth.end, truth.weightsRoot);
        return abi.encodeCall(court.advance, (claim, steps, truth.late, weights, "", end, SALT));
    }

    // --- headers ----------------------------------------------------------------------------------------------

    function challengeHeader(uint256 seed) external move(seed) {
        if (_pending.length == 0) return _submit();
        uint256 start = _draw(_pending.length);
        for (uint256 i = 0; i < _pending.length; ++i) {
            uint256 record = _pending[(start + i) % _pending.length];
            if (_preimages[_records[record].payload.h128].known) return _challengeHeader(record);
        }
    }

    function _challengeHeader(uint256 record) private {
        Checkpoint memory c = _records[record];
        uint256 disputeId = ledger.standingOf(_digestOf(record)).disputeId;
        (address sender, ) = _committer(_headerProof(record));
        if (_draw(4) == 0) sender = _actor();
        bool ok = _act("challengeHeader", disputeId, record, sender, _headerCall(record), 0);
        StateHeader memory header = _preimages[c.payload.h128].header;
        bool fits = header.parent == (c.index == 0 ? _genesis[_beastOf[record]] : c.parent);
        fits = fits && header.windowLoss == c.payload.windowLoss && header.globalStep == c.payload.globalStep;
        _check(ok != fits, "a header that fits was convicted, or one that does not was kept");
    }

    function _headerCall(uint256 record) private view returns (bytes memory) {
        Preimage memory p = _preimages[_records[record].payload.h128];
        (uint256 beastId, Checkpoint memory c) = (_beastOf[record], _records[record]);
        return abi.encodeCall(court.challengeHeader, (beastId, c, _parentOf(record), p.header, p.weightsRoot, SALT));
    }
}
