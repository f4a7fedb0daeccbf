// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoint, CheckpointStatus, Head} from "contracts/types/CheckpointTypes.sol";
import {DisputeStatus} from "contracts/types/DisputeTypes.sol";
import {StateHeader} from "contracts/types/KernelTypes.sol";
import {Protocol} from "./Protocol.sol";
import {VM} from "./Vm.sol";

/// @notice A dispute as it was filed.
/// @param bond ENERGY that the filer put up
/// @param base native coin put up for one set of openings
/// @param surplus native coin put up besides, as other disputes were open
struct Filing {
    uint256 id;
    uint256 record;
    address filer;
    uint256 bond;
    uint256 base;
    uint256 surplus;
    uint256 filedAt;
}

/// @notice A reward out of a slashed stake, as the rules give it.
struct Held {
    uint256 filing;
    uint256 proof;
    address filer;
    address prover;
    uint256 disputeId;
    uint256 gasCap;
}

/// @notice Preimage of a state hash.
struct Preimage {
    StateHeader header;
    bytes32 weightsRoot;
    bool known;
}

/// @title What the harness knows of its own: every record, every dispute, and what is due to whom
/// @dev Reckoned from the rules and from what the actors did, not from the contracts' books, so that the two can differ.
abstract contract Books is Protocol {
    uint256 internal constant START_ENERGY = 1_000 ether;
    uint256 internal constant START_COIN = 1_000_000 ether;
    address internal constant BURN = 0x000000000000000000000000000000000000dEaD;
    uint8 internal constant PRIVATE = 3;
    bytes4 private constant PANIC = 0x4e487b71;

    Checkpoint[] internal _records;
    mapping(uint256 record => uint256 beastId) internal _beastOf;
    /// @dev Records by index that stand on the beast.
    mapping(uint256 beastId => uint256[] records) internal _chains;
    /// @dev Records that can still fall; and those that were final once.
    uint256[] internal _pending;
    uint256[] internal _finals;
    mapping(bytes32 state => Preimage) internal _preimages;

    mapping(uint256 disputeId => Filing) internal _filings;
    uint256[] internal _open;
    mapping(uint256 disputeId => bytes32[16]) internal _segments;
    mapping(uint256 beastId => uint256) internal _openOnBeast;
    mapping(uint256 beastId => mapping(address trainer => Held)) internal _held;
    /// @dev Records below a convicted one that could still fall then: its reward waits for them.
    mapping(uint256 beastId => mapping(address trainer => uint256[] records)) internal _below;
    mapping(uint256 disputeId => uint256) internal _coinPool;
    mapping(uint256 disputeId => uint256) internal _energyPool;
    mapping(uint256 disputeId => mapping(address account => bool)) internal _energyClaimed;
    mapping(uint256 disputeId => mapping(address account => bool)) internal _coinClaimed;
    mapping(uint256 disputeId => uint256) internal _steps;
    mapping(uint256 disputeId => mapping(address account => uint256)) internal _stepsOf;
    /// @dev What openings of the dispute were paid, or will be.
    mapping(uint256 disputeId => uint256) internal _openingPay;
    mapping(bytes32 state => uint256) internal _publicationCost;
    mapping(bytes32 state => uint256) internal _publishedAt;

    mapping(address account => uint256) internal _escrow;
    uint256 public minted;
    uint256 public slashedCoin;
    uint256 public repaidDebts;
    uint256 public claimedCoin;
    /// @notice Most that an account can have been credited by the vault, and what it has pulled.
    mapping(address account => uint256) public dues;
    mapping(address account => uint256) public pulled;
    /// @notice The first thing that went wrong within a move, empty if nothing did.
    string public wrong;

    /// @dev How often what happened, by name.
    mapping(string name => uint256) private _counts;
    string[] private _names;
    string[4] private _endNames = ["upheld", "dismissed", "proven", "voided"];
    uint256 private _random;
    uint256 private _supply;
    mapping(uint256 beastId => uint32) private _finalCount;

    constructor() {
        for (uint256 i = 0; i < _actors.length; ++i) {
            address actor = _actors[i];
            VM.deal(actor, START_COIN);
            _mint(actor, START_ENERGY);
            VM.prank(actor);
            energy.approve(address(ledger), type(uint256).max);
            VM.prank(actor);
            ledger.deposit(START_ENERGY / 2);
            _escrow[actor] = START_ENERGY / 2;
        }
        _supply = energy.totalSupply();
    }

    // --- moves ------------------------------------------------------------------------------------------------

    /// @dev Every move comes in a block of its own, some seconds later; afterwards the books follow the chain.
    modifier move(uint256 seed) {
        _random = seed;
        VM.roll(_block() + 1);
        _wait(_draw(6));
        _;
        _follow();
    }

    /// @dev A transaction of an actor. Contracts may refuse it by an error of theirs; anything else is a defect.
    function _try(
        string memory name,
        address sender,
        address target,
        uint256 value,
        bytes memory data
    ) internal returns (bool ok, bytes memory returned) {
        // A plain account: from a contract no opening counts.
        VM.prank(sender, sender);
        (ok, returned) = target.call{value: value}(data);
        if (ok) _count(name);
        else if (returned.length < 4 || bytes4(returned) == PANIC) _fail(string.concat(name, " ended in a panic"));
    }

    function _count(string memory name) internal {
        if (_counts[name]++ == 0) _names.push(name);
    }

    /// @dev So that scripts/lib/forge_invariants.py can tell histories in which much happened from empty ones.
    function _report() internal {
        string memory path = VM.envString("CHAINBEASTS_FORGE_REPORT");
        for (uint256 i = 0; i < _names.length; ++i) {
            VM.writeLine(path, string.concat(_names[i], "=", VM.toString(_counts[_names[i]])));
        }
    }

    function _check(bool holds, string memory sentence) internal {
        if (!holds) _fail(sentence);
    }

    function _fail(string memory sentence) internal {
        if (bytes(wrong).length == 0) wrong = sentence;
    }

    function _mint(address to, uint256 amount) internal {
        minted += amount;
        energy.mint(to, amount);
    }

    // --- chance and time --------------------------------------------------------------------------------------

    function _draw(uint256 below) internal returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random % below;
    }

    function _actor() internal returns (address) {
        return _actors[_draw(_actors.length)];
    }

    function _beast() internal returns (uint256) {
        return 1 + _draw(BEASTS);
    }

    function _now() internal view returns (uint256) {
        return VM.getBlockTimestamp();
    }

    function _block() internal view returns (uint256) {
        return VM.getBlockNumber();
    }

    function _wait(uint256 delay) internal {
        VM.warp(_now() + delay);
    }

    function _waitUntil(uint256 second) internal {
        if (_now() < second) VM.warp(second);
    }

    function _fee() internal view returns (uint256) {
        return block.basefee > _referenceFee ? block.basefee : _referenceFee;
    }

    /// @dev What a gas of an opening is paid in this block.
    function _openingPrice() internal view returns (uint256) {
        uint256 tip = tx.gasprice > block.basefee ? tx.gasprice - block.basefee : 0;
        uint256 price = block.basefee + (tip < block.basefee / 4 ? tip : block.basefee / 4);
        return price > _referenceFee ? price : _referenceFee;
    }

    // --- records ----------------------------------------------------------------------------------------------

    function _submitted(uint256 beastId, Checkpoint memory c) internal {
        uint256 record = _records.length;
        _records.push(c);
        _beastOf[record] = beastId;
        _chains[beastId].push(record);
        _pending.push(record);
        _escrow[c.trainer] -= c.payload.energyBurn + c.bond;
        _check(ledger.isLive(beastId, c), "a record that was submitted is not the live one");
    }

    function _parentOf(uint256 record) internal view returns (Checkpoint memory parent) {
        uint32 index = _records[record].index;
        // Above a window that fell its parent may be gone, too: then nothing can be claimed with it.
        uint256[] storage chain = _chains[_beastOf[record]];
        if (index != 0 && chain.length >= index) parent = _records[chain[index - 1]];
    }

    function _isLive(uint256 record) internal view returns (bool) {
        return ledger.isLive(_beastOf[record], _records[record]);
    }

    function _statusOf(uint256 record) internal view returns (CheckpointStatus) {
        return ledger.statusOf(_beastOf[record], _records[record]);
    }

    /// @dev Whether the record claims the window whose true end is known.
    function _isTrained(uint256 record) internal view returns (bool) {
        Checkpoint storage c = _records[record];
        uint256 beastId = _beastOf[record];
        return
            c.index == 0 &&
            c.payload.source == 0 &&
            beastId != PRIVATE_BEAST &&
            c.payload.activeMask == _trueWindows[beastId].end.activeMask;
    }

    // --- disputes ---------------------------------------------------------------------------------------------

    function _isOpen(uint256 disputeId) internal view returns (bool) {
        DisputeStatus status = court.dispute(disputeId).status;
        return status == DisputeStatus.FILED || status == DisputeStatus.OPENED;
    }

    /// @dev Whether an opening that the dispute needs was not made in time.
    function _isSilent(uint256 disputeId) internal view returns (bool) {
        Checkpoint storage c = _records[_filings[disputeId].record];
        if (_segments[disputeId][15] == 0 || c.payload.source == PRIVATE) return true;
        uint256 publishedAt = _publishedAt[c.parent];
        bool late = publishedAt > _filings[disputeId].filedAt + _economics.responseWindow;
        return c.index != 0 && (publishedAt == 0 || late);
    }

    function _ended(uint256 disputeId) internal {
        Filing memory f = _filings[disputeId];
        DisputeStatus status = court.dispute(disputeId).status;
        if (status == DisputeStatus.DISMISSED) {
            bool late = _now() > f.filedAt + _economics.proofWindow;
            _check(late && !_isSilent(disputeId), "a dispute was dismissed that is not answered or still runs");
        } else if (status == DisputeStatus.VOIDED) {
            _check(!_isLive(f.record), "a dispute was voided over a record that stands");
        }
        // The bond comes back whole, but for what a filer loses that was wrong: openings, and as much of the surplus.
        _count(_endNames[uint8(status) - uint8(DisputeStatus.UPHELD)]);
        bool lost = status == DisputeStatus.DISMISSED || status == DisputeStatus.PROVEN;
        dues[f.filer] += lost ? _lost(f) : f.base + f.surplus;
        if (!lost) _escrow[f.filer] += f.bond;
        if (status == DisputeStatus.PROVEN) _energyPool[disputeId] = _stepPay(disputeId, f.bond);
        --_openOnBeast[_beastOf[f.record]];
        for (uint256 i = 0; i < _open.length; ++i) {
            if (_open[i] != disputeId) continue;
            _open[i] = _open[_open.length - 1];
            _open.pop();
            return;
        }
    }

    /// @dev What is left of the opening bond of a filer that was wrong.
    function _lost(Filing memory f) private view returns (uint256) {
        uint256 pay = _openingPay[f.id];
        if (pay <= f.base) return f.base - pay + (pay < f.surplus ? f.surplus - pay : 0);
        uint256 all = f.base + f.surplus;
        return 2 * pay < all ? all - 2 * pay : 0;
    }

    /// @dev What committed steps are paid for a window that was right: their gas, out of the bond.
    function _stepPay(uint256 disputeId, uint256 bond) private view returns (uint256) {
        uint256 pay = (_steps[disputeId] * 200_000 * block.basefee * 1 ether) / _economics.energyPrice;
        return pay < bond ? pay : bond;
    }

    // --- after every move -------------------------------------------------------------------------------------

    function _follow() internal {
        for (uint256 id = 1; id <= BEASTS; ++id) {
            Head memory h = ledger.head(id);
            while (_chains[id].length > h.headCount) _chains[id].pop();
            _check(h.finalCount >= _finalCount[id], "the number of final checkpoints fell");
            _finalCount[id] = h.finalCount;
        }
        for (uint256 i = _pending.length; i > 0; --i) {
            uint256 record = _pending[i - 1];
            CheckpointStatus status = _statusOf(record);
            if (status != CheckpointStatus.FINAL && status != CheckpointStatus.UNKNOWN_OR_VOID) continue;
            if (status == CheckpointStatus.FINAL) _finals.push(record);
            _pending[i - 1] = _pending[_pending.length - 1];
            _pending.pop();
        }
        uint256 supply = energy.totalSupply();
        _check(supply <= _supply, "a move made ENERGY");
        _supply = supply;
    }

    /// @dev For the move that mints.
    function _mintedAgain() internal {
        _supply = energy.totalSupply();
    }
}
