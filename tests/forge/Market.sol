// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Match, MatchStatus} from "contracts/types/ArenaTypes.sol";
import {Checkpoint, CheckpointPayload, Head} from "contracts/types/CheckpointTypes.sol";
import {StateHeader} from "contracts/types/KernelTypes.sol";
import {ArenaTerms, Economics, Season} from "contracts/types/SeasonTypes.sol";
import {Protocol} from "./Protocol.sol";
import {VM} from "./Vm.sol";

/// @notice A beast's rewards, as the rules give them.
struct Earned {
    uint256 since;
    uint256 inCooldown;
    uint256 total;
}

/// @title ENERGY from its sale to its end: hatches, windows, matches and seasons in which nobody disputes anything
/// @dev Records of matches are lies that nobody disproves: whoever would farm rewards does not play either. Books are reckoned
/// from the rules, apart from the contracts'.
contract Market is Protocol {
    uint256 private constant DAY = 1 days;
    uint256 private constant MAX_BPS = 10_000;
    uint256 private constant BLOCK_HASHES = 256;
    bytes4 private constant PANIC = 0x4e487b71;

    uint256 public bought;
    uint256 public paid;
    uint256 public granted;
    uint256 public burned;
    uint256 public claimed;
    uint256 public credited;
    /// @notice The first thing that went wrong within a move, empty if nothing did.
    string public wrong;

    mapping(uint256 beastId => Checkpoint) private _finals;
    mapping(uint256 beastId => uint256) private _burnedBy;
    mapping(uint256 beastId => Earned) private _earned;
    mapping(address account => uint256) private _rewards;
    mapping(uint16 season => ArenaTerms) private _terms;
    uint256[] private _matches;
    mapping(string name => uint256) private _counts;
    string[] private _names;
    uint256 private _random;

    constructor() {
        granted = burned = BEASTS * _economics.hatchCost;
        _terms[1] = _season.arena;
        for (uint256 i = 0; i < _actors.length; ++i) {
            address actor = _actors[i];
            VM.deal(actor, 1_000_000 ether);
            _approve(actor, address(ledger));
            _approve(actor, address(arena));
        }
    }

    /// @dev Every move comes in a block of its own, some seconds later.
    modifier move(uint256 seed) {
        _random = seed;
        VM.roll(VM.getBlockNumber() + 1);
        VM.warp(VM.getBlockTimestamp() + _draw(100));
        _;
    }

    // --- ENERGY -----------------------------------------------------------------------------------------------

    function buy(uint256 seed) external move(seed) {
        _buy(_actor(), _draw(3) == 0 ? _draw(3) : _draw(100 ether));
    }

    function _buy(address actor, uint256 coin) private {
        uint256 price = _season.economics.energyPrice;
        uint256 out = price == 0 ? 0 : (coin * 1 ether) / price;
        uint256 minOut = _draw(4) == 0 ? out + 1 : out;
        (bool ok, ) = _try("buy", actor, address(sale), coin, abi.encodeCall(sale.buy, (actor, minOut)));
        _check(ok == (out != 0 && minOut <= out), "a sale is refused or made that should not be");
        if (!ok) return;
        bought += out;
        paid += coin;
    }

    function burn(uint256 seed) external move(seed) {
        address actor = _actor();
        uint256 amount = _draw(energy.balanceOf(actor) / 8 + 1);
        (bool ok, ) = _try("burn", actor, address(energy), 0, abi.encodeCall(energy.burn, (amount)));
        if (ok) burned += amount;
    }

    function send(uint256 seed) external move(seed) {
        address actor = _actor();
        uint256 amount = _draw(energy.balanceOf(actor) + 2);
        _try("send", actor, address(energy), 0, abi.encodeCall(energy.transfer, (_actor(), amount)));
    }

    // --- beasts -----------------------------------------------------------------------------------------------

    function hatch(uint256 seed) external move(seed) {
        (address actor, uint256 cost) = (_actor(), _season.economics.hatchCost);
        uint256 held = energy.balanceOf(actor);
        uint256 allowed = _draw(4) == 0 ? cost / 2 : cost;
        VM.prank(actor);
        energy.approve(address(beasts), allowed);
        bytes memory data = abi.encodeCall(beasts.requestHatch, (0, 0, 0, 0));
        (bool ok, ) = _try("hatch", actor, address(beasts), 0, data);
        _check(ok == (held >= cost && allowed >= cost), "a hatch is paid by whoever allowed it, or refused");
        if (!ok) return;
        burned += cost;
        _check(energy.balanceOf(actor) == held - cost, "a hatch burns its cost");
    }

    /// @dev One more window of a beast, as far as finality; its state has no weights, and is published.
    function train(uint256 seed) external move(seed) {
        _train(_beast());
    }

    function _train(uint256 beastId) private {
        address owner = beasts.ownerOf(beastId);
        Head memory h = ledger.head(beastId);
        (uint128 price, uint128 bond) = ledger.quote(beastId, h.activeMask);
        if (ledger.escrowOf(owner) < price + bond) {
            uint256 amount = energy.balanceOf(owner);
            if (amount < price + bond) return _buy(owner, 5 ether);
            VM.prank(owner);
            ledger.deposit(amount / 2 < price + bond ? amount : amount / 2);
        }
        StateHeader memory header = StateHeader(beastId, h.h128, (h.headCount + 1) * 128, h.activeMask, 0, 0);
        CheckpointPayload memory p;
        (p.epoch, p.lrShift, p.activeMask, p.globalStep) = (h.epoch, h.lrShift, h.activeMask, header.globalStep);
        (p.h128, p.energyBurn) = (referee.hashState(header, _zeroWeightsRoot), price);
        Checkpoint memory c = Checkpoint({
            index: h.headCount,
            generation: h.generation,
            parent: h.h128,
            payload: p,
            season: h.season,
            trainer: owner,
            submittedAt: uint64(VM.getBlockTimestamp()),
            bond: bond,
            lockedSum: h.lockedSum + price + bond
        });
        uint256 stake = ledger.requiredStake(beastId);
        VM.prank(owner);
        ledger.stake{value: stake}(beastId);
        bytes32 epochSeed = ledger.epochOf(beastId, h.epoch).epochSeed;
        bytes memory data = abi.encodeCall(ledger.submit, (beastId, h.h128, epochSeed, p, false));
        (bool ok, ) = _try("submit", owner, address(ledger), 0, data);
        _check(ok, "a right window is taken");
        VM.warp(VM.getBlockTimestamp() + _economics.challengePeriod);
        Checkpoint[] memory batch = new Checkpoint[](1);
        batch[0] = c;
        ledger.finalize(beastId, batch);
        burned += price;
        _burnedBy[beastId] += price;
        _finals[beastId] = c;
        bytes memory weights = _zeroWeights();
        VM.prank(owner, owner); // a plain account: nobody else publishes
        states.publish(header, weights);
    }

    function transferBeast(uint256 seed) external move(seed) {
        uint256 beastId = _beast();
        address owner = beasts.ownerOf(beastId);
        // Its trainer may have a stake there; windows are final as soon as they are submitted, so nothing is pending.
        VM.prank(owner);
        beasts.transferFrom(owner, _actor(), beastId);
    }

    // --- matches ----------------------------------------------------------------------------------------------

    function fight(uint256 seed) external move(seed) {
        uint256 a = _beast();
        uint256 b = 1 + (a % BEASTS);
        (address ownerA, address ownerB) = (beasts.ownerOf(a), beasts.ownerOf(b));
        if (_burnedBy[a] == 0) return _train(a);
        if (_burnedBy[b] == 0) return _train(b);
        bytes memory data = abi.encodeCall(arena.challenge, (a, _finals[a], b));
        (bool ok, bytes memory answer) = _try("challenge", ownerA, address(arena), 0, data);
        _check(ok == (ownerA != ownerB), "beasts of two owners fight, and no others");
        if (!ok) return;
        uint256 id = abi.decode(answer, (uint256));
        VM.prank(ownerB);
        arena.accept(id, _finals[a].payload.h128, _finals[b]);
        _matches.push(id);
    }

    function draw(uint256 seed) external move(seed) {
        uint256 id = _match(MatchStatus.ACCEPTED);
        if (id == 0) return;
        // The harness has no history contract: after 256 blocks a hash is gone.
        if (_draw(4) == 0) VM.roll(VM.getBlockNumber() + _draw(2 * BLOCK_HASHES));
        bool known = VM.getBlockNumber() - arena.matchOf(id).seedBlock <= BLOCK_HASHES;
        if (_draw(2) == 0) {
            (bool ended, ) = _try("expire", _actor(), address(arena), 0, abi.encodeCall(arena.expire, (id)));
            _check(ended != known, "a match expires once its seed's hash is gone, and not before");
            if (ended) return;
        }
        (bool ok, ) = _try("draw", _actor(), address(arena), 0, abi.encodeCall(arena.drawSeed, (id)));
        _check(ok, "a seed is drawn or the match expires");
        MatchStatus status = arena.matchOf(id).status;
        _check(status == (known ? MatchStatus.SEEDED : MatchStatus.EXPIRED), "a match has one throw");
    }

    function record(uint256 seed) external move(seed) {
        uint256 id = _match(MatchStatus.SEEDED);
        if (id == 0) return;
        Match memory m = arena.matchOf(id);
        if (_draw(4) == 0) _waitUntil(m.recordUntil - 1 + _draw(3));
        bool over = VM.getBlockTimestamp() >= m.recordUntil;
        if (_draw(2) == 0) {
            (bool ended, ) = _try("expire", _actor(), address(arena), 0, abi.encodeCall(arena.expire, (id)));
            _check(ended == over, "a seeded match expires after its record window, and not before");
            if (ended) return;
        }
        address reporter = _actor();
        uint256 bond = _terms[m.season].recordBond;
        if (arena.escrowOf(reporter) < bond) {
            if (energy.balanceOf(reporter) < bond) return _buy(reporter, 100 ether);
            VM.prank(reporter);
            arena.deposit(bond);
        }
        uint256[] memory log = new uint256[](1);
        log[0] = _draw(type(uint256).max);
        bytes32 root = keccak256(abi.encodePacked(uint8(0), log[0]));
        bytes memory data = abi.encodeCall(arena.record, (id, m.battleSeed, uint8(_draw(3)), 1, root, log));
        (bool ok, ) = _try("record", reporter, address(arena), 0, data);
        _check(ok != over, "a match is recorded within its record window, and not after");
    }

    function finalize(uint256 seed) external move(seed) {
        uint256 id = _match(MatchStatus.RECORDED);
        if (id == 0) return;
        Match memory m = arena.matchOf(id);
        _waitUntil(m.finalAt);
        (bool ok, ) = _try("finalize", _actor(), address(arena), 0, abi.encodeCall(arena.finalize, (id)));
        _check(ok, "a record that nobody disproved becomes final");
        ArenaTerms memory least = _least(_terms[m.season], _season.arena);
        uint256 result = uint256(m.result);
        _credit(m.beastA, m.ownerA, result == 0 ? least.winnerReward : least.loserReward, least);
        _credit(m.beastB, m.ownerB, result == 1 ? least.winnerReward : least.loserReward, least);
    }

    function _least(ArenaTerms memory a, ArenaTerms memory b) private pure returns (ArenaTerms memory t) {
        t.winnerReward = a.winnerReward < b.winnerReward ? a.winnerReward : b.winnerReward;
        t.loserReward = a.loserReward < b.loserReward ? a.loserReward : b.loserReward;
        t.rewardCapBps = a.rewardCapBps < b.rewardCapBps ? a.rewardCapBps : b.rewardCapBps;
        t.rewardCooldown = a.rewardCooldown > b.rewardCooldown ? a.rewardCooldown : b.rewardCooldown;
    }

    function _credit(uint256 beastId, address owner, uint256 reward, ArenaTerms memory terms) private {
        Earned storage e = _earned[beastId];
        bool running = e.since != 0 && VM.getBlockTimestamp() - e.since < terms.rewardCooldown;
        uint256 had = running ? e.inCooldown : 0;
        uint256 cap = (_burnedBy[beastId] * terms.rewardCapBps) / MAX_BPS;
        uint256 left = cap > e.total ? cap - e.total : 0;
        uint256 due = reward > had ? reward - had : 0;
        if (due > left) due = left;
        if (due == 0) return;
        if (!running) e.since = VM.getBlockTimestamp();
        e.inCooldown = had + due;
        e.total += due;
        _rewards[owner] += due;
        credited += due;
        _count("credited");
    }

    function claim(uint256 seed) external move(seed) {
        address actor = _actor();
        uint256 due = _rewards[actor];
        (bool ok, ) = _try("claim", actor, address(arena), 0, abi.encodeCall(arena.claimRewards, (_actor())));
        _check(ok == (due != 0), "who has rewards can claim them");
        if (!ok) return;
        claimed += due;
        _rewards[actor] = 0;
    }

    // --- seasons ----------------------------------------------------------------------------------------------

    /// @dev Governance moves prices, rewards and the cap as far as the registry lets it; also to 0.
    function reprice(uint256 seed) external move(seed) {
        Economics memory e = _season.economics;
        ArenaTerms memory a = _season.arena;
        e.energyPrice = _draw(6) == 0 ? 0 : uint96(1 + _draw(2 ether));
        e.hatchCost = uint96(_draw(1 ether));
        a.winnerReward = uint96(_draw(4) == 0 ? 0 : _draw(100 ether));
        a.loserReward = uint96(_draw(uint256(a.winnerReward) + 1));
        a.rewardCapBps = uint16(_draw(5_001));
        a.rewardCooldown = uint32(1 + _draw(2 * DAY));
        _season.economics = e;
        _season.arena = a;
        uint16 number = seasons.addSeason(_season);
        _terms[number] = a;
        _count("season");
        VM.roll(VM.getBlockNumber() + 1);
    }

    function pass(uint256 seed) external move(seed) {
        VM.warp(VM.getBlockTimestamp() + _draw(2 * DAY));
    }

    // --- after every move -------------------------------------------------------------------------------------

    function checkMoves() external view {
        require(bytes(wrong).length == 0, wrong);
    }

    function checkSupply() external view {
        uint256 unclaimed = 0;
        for (uint256 i = 0; i < _actors.length; ++i) {
            uint256 due = arena.rewardsOf(_actors[i]);
            require(due == _rewards[_actors[i]], "an account's rewards are what the rules give it");
            unclaimed += due;
        }
        uint256 supply = energy.totalSupply();
        require(supply == bought + granted + claimed - burned, "ENERGY comes from sale, grant and claims only");
        require(sale.sold() == bought, "the sale counts what it sold");
        require(supply + unclaimed <= bought + granted, "no ENERGY is there that nobody paid for");
        require(2 * credited <= burned, "rewards are half at most of what was burned");
        require(TREASURY.balance == paid, "the proceeds are the treasury's, all of them");
        require(address(sale).balance == 0, "the sale holds nothing");
    }

    function checkBeasts() external view {
        for (uint256 id = 1; id <= BEASTS; ++id) {
            require(ledger.burnedOf(id) == _burnedBy[id], "a beast's burn is that of its final windows");
            require(arena.rewardedOf(id) == _earned[id].total, "a beast is credited what the rules give it");
            require(2 * _earned[id].total <= _burnedBy[id], "a beast is credited half at most of what it burned");
        }
    }

    function report() external {
        string memory path = VM.envString("CHAINBEASTS_FORGE_REPORT");
        for (uint256 i = 0; i < _names.length; ++i) {
            VM.writeLine(path, string.concat("market ", _names[i], "=", VM.toString(_counts[_names[i]])));
        }
    }

    // --- small things -----------------------------------------------------------------------------------------

    /// @dev A transaction of an actor. Contracts may refuse it by an error of theirs; anything else is a defect.
    function _try(
        string memory name,
        address sender,
        address target,
        uint256 value,
        bytes memory data
    ) private returns (bool ok, bytes memory answer) {
        VM.prank(sender, sender);
        (ok, answer) = target.call{value: value}(data);
        if (ok) _count(name);
        else _check(answer.length >= 4 && bytes4(answer) != PANIC, string.concat(name, " ended in a panic"));
    }

    function _check(bool holds, string memory sentence) private {
        if (!holds && bytes(wrong).length == 0) wrong = sentence;
    }

    function _count(string memory name) private {
        if (_counts[name]++ == 0) _names.push(name);
    }

    function _waitUntil(uint256 second) private {
        if (VM.getBlockTimestamp() < second) VM.warp(second);
    }

    function _approve(address actor, address spender) private {
        VM.prank(actor);
        energy.approve(spender, type(uint256).max);
    }

    /// @dev A match in that status, 0 if there is none.
    function _match(MatchStatus status) private returns (uint256) {
        uint256 start = _draw(_matches.length + 1);
        for (uint256 i = 0; i < _matches.length; ++i) {
            uint256 id = _matches[(start + i) % _matches.length];
            if (arena.matchOf(id).status == status) return id;
        }
        return 0;
    }

    function _draw(uint256 below) private returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random % below;
    }

    function _actor() private returns (address) {
        return _actors[_draw(_actors.length)];
    }

    function _beast() private returns (uint256) {
        return 1 + _draw(BEASTS);
    }
}
