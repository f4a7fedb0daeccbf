// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoint} from "contracts/types/CheckpointTypes.sol";
import {Opening, ProofClaim} from "contracts/types/DisputeTypes.sol";
import {Filing, Preimage} from "./Books.sol";
import {Training} from "./Training.sol";
import {Verdicts} from "./Verdicts.sol";

/// @title Moves of disputes: filing, openings, ends by time
/// @dev A move that finds nothing to act on makes way for one that brings it about, so that short histories get far.
abstract contract Disputes is Training, Verdicts {
    // What filing asks for: the most that openings cost, four times.
    uint256 private constant SEGMENTS_GAS = 325_000;
    uint256 private constant STATE_GAS = 203_000 + 40 * WEIGHTS_BYTES;
    uint256 private constant RECORDS_GAS = 450_000 + 1_300 * (128 + 128);
    // What publishing zero weights costs: half of the bytes are zero.
    uint256 private constant ZERO_STATE_GAS = 203_000 + 25 * WEIGHTS_BYTES;
    uint256 private constant FEE_HEADROOM = 4;
    uint256 private constant MAX_MULTIPLE = 8;

    // --- filing -----------------------------------------------------------------------------------------------

    function file(uint256 seed) external move(seed) {
        _file();
    }

    function _file() internal {
        if (_pending.length == 0) return _submit();
        uint256 record = _pending[_draw(_pending.length)];
        (uint256 beastId, Checkpoint memory c) = (_beastOf[record], _records[record]);
        address filer = _actor();
        uint256 already = ledger.standingOf(ledger.digestOf(beastId, c)).disputeId;
        (, uint256 value, ) = court.quote(beastId, c);
        uint256 luck = _draw(8);
        if (luck == 0) value /= 2;
        else if (luck < 3) value += _draw(1 ether);
        bytes memory data = abi.encodeCall(court.file, (beastId, c));
        (bool ok, bytes memory returned) = _try("file", filer, address(court), value, data);
        if (!ok) return;
        uint256 disputeId = abi.decode(returned, (uint256));
        if (already == 0) return _filed(disputeId, record, filer, value);
        _check(disputeId == already, "a second dispute over one record");
        dues[filer] += value;
    }

    function _filed(uint256 disputeId, uint256 record, address filer, uint256 value) private {
        Checkpoint storage c = _records[record];
        uint8 missing = court.dispute(disputeId).missing;
        uint256 gasOwed = 0;
        if (missing & _bit(Opening.SEGMENTS) != 0) gasOwed += SEGMENTS_GAS;
        if (missing & _bit(Opening.STATE) != 0) gasOwed += STATE_GAS;
        if (missing & _bit(Opening.RECORDS) != 0) gasOwed += RECORDS_GAS;
        uint256 base = gasOwed * FEE_HEADROOM * _fee();
        uint256 n = ++_openOnBeast[_beastOf[record]];
        uint256 surplus = base * ((n < MAX_MULTIPLE ? n : MAX_MULTIPLE) - 1);
        _filings[disputeId] = Filing({
            id: disputeId,
            record: record,
            filer: filer,
            bond: uint256(c.payload.energyBurn) * _economics.disputeBondMultiple,
            base: base,
            surplus: surplus,
            filedAt: _now()
        });
        _open.push(disputeId);
        _escrow[filer] -= _filings[disputeId].bond;
        if (value >= base + surplus) dues[filer] += value - base - surplus;
        else _fail("a filing put up less than it is asked for");
    }

    // --- openings ---------------------------------------------------------------------------------------------

    function setDefender(uint256 seed) external move(seed) {
        _try("setDefender", _actor(), address(court), 0, abi.encodeCall(court.setDefender, (_actor())));
    }

    function openSegments(uint256 seed) external move(seed) {
        (uint256 disputeId, uint256 record) = _openDispute(_isUnopened);
        if (disputeId == 0) return _file();
        Checkpoint memory c = _records[record];
        bytes32[16] memory segments;
        for (uint256 i = 0; i < 15; ++i) segments[i] = keccak256(abi.encode("segment", i));
        // A trained window may be opened truthfully, or up to its last segment, where a liar lied.
        if (_isTrained(record) && _draw(4) != 0) segments = _trueWindows[_beastOf[record]].segments;
        segments[15] = c.payload.h128;
        uint256 who = _draw(8);
        address sender =
            who == 0
                ? _actor()
                : who == 1
                    ? court.defenderOf(c.trainer)
                    : c.trainer;
        bool wanted = court.dispute(disputeId).missing & _bit(Opening.SEGMENTS) != 0;
        bytes memory data = abi.encodeCall(court.openSegments, (disputeId, _beastOf[record], c, segments));
        bool ok = _act("openSegments", disputeId, record, sender, data, 0);
        if (!ok || !wanted) return;
        _segments[disputeId] = segments;
        bool inTime = _now() <= _filings[disputeId].filedAt + _economics.responseWindow;
        _check(inTime, "an opening counts that came too late");
    }

    function _isUnopened(uint256 disputeId) private view returns (bool) {
        return court.dispute(disputeId).missing & _bit(Opening.SEGMENTS) != 0;
    }

    /// @dev The state that a disputed window starts from, else that of any pending window, else one of no window.
    function publish(uint256 seed) external move(seed) {
        (uint256 disputeId, uint256 record) = _openDispute(_needsKnownState);
        Preimage memory found;
        if (disputeId != 0) found = _preimages[_records[record].parent];
        else if (_pending.length != 0 && _draw(4) == 0)
            found = _preimages[_records[_pending[_draw(_pending.length)]].payload.h128];
        if (found.weightsRoot != _zeroWeightsRoot) found.header.beastId = _draw(type(uint256).max);
        bytes memory data = abi.encodeCall(states.publish, (found.header, _zeroWeights()));
        (bool ok, bytes memory returned) = _try("publish", _actor(), address(states), 0, data);
        _check(ok, "a well-formed state cannot be published");
        bytes32 state = abi.decode(returned, (bytes32));
        if (_publishedAt[state] != 0) return;
        _publishedAt[state] = _now();
        _publicationCost[state] = ZERO_STATE_GAS * _openingPrice();
    }

    function _needsKnownState(uint256 disputeId) private view returns (bool) {
        if (court.dispute(disputeId).missing & _bit(Opening.STATE) == 0) return false;
        Preimage storage found = _preimages[_records[_filings[disputeId].record].parent];
        return found.weightsRoot == _zeroWeightsRoot;
    }

    function acceptOpenings(uint256 seed) external move(seed) {
        (uint256 disputeId, uint256 record) = _openDispute(_isAny);
        if (disputeId == 0) return _file();
        bytes memory data = abi.encodeCall(court.acceptOpenings, (disputeId, _beastOf[record], _records[record]));
        _act("acceptOpenings", disputeId, record, _actor(), data, 0);
    }

    // --- ends -------------------------------------------------------------------------------------------------

    function claimTimeout(uint256 seed) external move(seed) {
        (uint256 disputeId, uint256 record) = _openDispute(_isAny);
        if (disputeId == 0) return _file();
        if (_draw(4) == 0) _waitUntil(uint256(court.dispute(disputeId).responseDeadline) + 1);
        _claimTimeout(disputeId, record);
    }

    function dismiss(uint256 seed) external move(seed) {
        (uint256 disputeId, uint256 record) = _openDispute(_isAny);
        if (disputeId == 0) return _file();
        uint256 deadline = court.dispute(disputeId).proofDeadline;
        if (deadline != 0 && _draw(2) == 0) _waitUntil(deadline + 1);
        _dismiss(disputeId, record);
    }

    function _claimTimeout(uint256 disputeId, uint256 record) internal returns (bool) {
        bytes memory data = abi.encodeCall(court.claimTimeout, (_claim(disputeId, record)));
        return _act("claimTimeout", disputeId, record, _actor(), data, 0);
    }

    function _dismiss(uint256 disputeId, uint256 record) internal returns (bool) {
        bytes memory data = abi.encodeCall(court.dismiss, (disputeId, _beastOf[record], _records[record]));
        return _act("dismiss", disputeId, record, _actor(), data, 0);
    }

    // --- choices ----------------------------------------------------------------------------------------------

    function _claim(uint256 disputeId, uint256 record) internal view returns (ProofClaim memory) {
        return ProofClaim(disputeId, _beastOf[record], _records[record], _parentOf(record));
    }

    function _isAny(uint256) private pure returns (bool) {
        return true;
    }

    /// @dev An open dispute of a kind, 0 if there is none.
    function _openDispute(
        function(uint256) view returns (bool) isOfKind
    ) internal returns (uint256 disputeId, uint256 record) {
        uint256 start = _draw(_open.length + 1);
        for (uint256 i = 0; i < _open.length; ++i) {
            disputeId = _open[(start + i) % _open.length];
            if (isOfKind(disputeId)) return (disputeId, _filings[disputeId].record);
        }
        return (0, 0);
    }
}
