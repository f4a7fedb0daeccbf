// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {EnergyEscrow} from "./EnergyEscrow.sol";
import {IArena} from "./interfaces/IArena.sol";
import {IBeasts} from "./interfaces/IBeasts.sol";
import {ICheckpointLedger} from "./interfaces/ICheckpointLedger.sol";
import {IEnergy} from "./interfaces/IEnergy.sol";
import {IMatchReferee} from "./interfaces/IMatchReferee.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {IStateArchive} from "./interfaces/IStateArchive.sol";
import {Matches} from "./kernel/Matches.sol";
import {SplitMix64} from "./kernel/SplitMix64.sol";
import {Logs} from "./libraries/Logs.sol";
import {MatchStore, StoredMatch} from "./libraries/MatchStore.sol";
import {Rewards} from "./libraries/Rewards.sol";
import {Earnings, Match, MatchLie, MatchResult, MatchStatus, OpenChallenge} from "./types/ArenaTypes.sol";
import {Checkpoint, CheckpointStatus} from "./types/CheckpointTypes.sol";
import {RowOpening, Rules, StateHeader} from "./types/KernelTypes.sol";
import {ArenaTerms, Economics} from "./types/SeasonTypes.sol";

/// @title Matches: agreement, seed, record, disproof, rewards
/// @dev The interface carries the rest of the documentation.
contract Arena is IArena, EnergyEscrow {
    using MatchStore for StoredMatch;
    using Rewards for Earnings;

    uint256 private constant MAX_BPS = 10_000;
    /// @dev Block hashes that a chain keeps in its history contract (EIP-2935).
    uint256 private constant BLOCK_HASHES = 8_191;

    IBeasts public immutable beasts;
    ISeasonRegistry public immutable seasons;
    /// @inheritdoc IArena
    ICheckpointLedger public immutable ledger;
    IMatchReferee public immutable referee;
    /// @inheritdoc IArena
    IStateArchive public immutable states;

    /// @inheritdoc IArena
    uint256 public matchCount;
    mapping(uint256 matchId => StoredMatch) private _matches;
    mapping(uint256 beastId => OpenChallenge) private _open;
    /// @inheritdoc IArena
    mapping(address account => uint256) public rewardsOf;
    mapping(uint256 beastId => Earnings) private _earnings;

    constructor(
        IEnergy energy_,
        IBeasts beasts_,
        ISeasonRegistry seasons_,
        ICheckpointLedger ledger_,
        IMatchReferee referee_,
        IStateArchive states_
    ) EnergyEscrow(energy_) {
        beasts = beasts_;
        seasons = seasons_;
        ledger = ledger_;
        referee = referee_;
        states = states_;
    }

    // --- agreeing on a match ----------------------------------------------------------------------------------

    /// @inheritdoc IArena
    function openChallenge(uint256 beastId, Checkpoint calldata checkpoint) external {
        _requireOwner(beastId);
        bytes32 state = _finalState(beastId, checkpoint);
        _open[beastId] = OpenChallenge(msg.sender, _nonceOf(beastId), state);
        emit OpenChallengeSet(beastId, msg.sender, state);
    }

    /// @inheritdoc IArena
    function closeChallenge(uint256 beastId) external {
        _requireOwner(beastId);
        if (_open[beastId].owner == address(0)) revert NotOpen(beastId);
        delete _open[beastId];
        emit OpenChallengeClosed(beastId, msg.sender);
    }

    /// @inheritdoc IArena
    function challenge(
        uint256 beastA,
        Checkpoint calldata checkpointA,
        uint256 beastB
    ) external returns (uint256 matchId) {
        _requireOwner(beastA);
        address ownerB = beasts.ownerOf(beastB);
        // INVARIANT P55: two beasts of two owners fight, so that no account is paid for both sides of a match.
        if (ownerB == msg.sender) revert SelfChallenge(beastA, beastB);
        bytes32 stateA = _finalState(beastA, checkpointA);
        matchId = ++matchCount;
        StoredMatch storage m = _matches[matchId];
        // Ids of beasts are counted from 1, so they fit.
        (m.ownerA, m.beastA, m.nonceA) = (msg.sender, uint64(beastA), uint32(_nonceOf(beastA)));
        m.beastB = uint64(beastB);
        m.stateA = stateA;
        m.status = MatchStatus.CHALLENGED;
        emit MatchChallenged(matchId, beastA, beastB, msg.sender, stateA);
        OpenChallenge memory open = _open[beastB];
        // INVARIANT P56: a beast fights only if who owns it now agreed, and with the state that this owner chose.
        if (open.owner == ownerB && open.nonce == _nonceOf(beastB)) _accept(matchId, m, ownerB, open.state);
    }

    /// @inheritdoc IArena
    function accept(uint256 matchId, bytes32 expectedStateA, Checkpoint calldata checkpointB) external {
        StoredMatch storage m = _expect(matchId, MatchStatus.CHALLENGED);
        (uint256 beastA, uint256 beastB) = (m.beastA, m.beastB);
        _requireOwner(beastB);
        if (m.stateA != expectedStateA) revert WrongOpponent(m.stateA, expectedStateA);
        // INVARIANT P56, continued: a challenge ends with the ownership of who made it.
        address ownerA = beasts.ownerOf(beastA);
        if (m.nonceA != uint32(_nonceOf(beastA))) revert ChallengeLapsed(matchId, m.ownerA, ownerA);
        if (ownerA == msg.sender) revert SelfChallenge(beastA, beastB);
        _accept(matchId, m, msg.sender, _finalState(beastB, checkpointB));
    }

    function _accept(uint256 matchId, StoredMatch storage m, address ownerB, bytes32 stateB) private {
        uint16 season = seasons.effectiveSeason();
        // The states may have been chosen long ago: whoever replays the match must still find them.
        _requirePublished(m.beastA, m.stateA, season);
        _requirePublished(m.beastB, stateB, season);
        m.ownerB = ownerB;
        m.stateB = stateB;
        m.status = MatchStatus.ACCEPTED;
        m.season = season;
        m.seedBlock = uint64(block.number);
        emit MatchAccepted(matchId, ownerB, stateB, season, uint64(block.number));
    }

    /// @inheritdoc IArena
    function cancel(uint256 matchId) external {
        StoredMatch storage m = _expect(matchId, MatchStatus.CHALLENGED);
        if (msg.sender != m.ownerA) revert NotChallenger(matchId, msg.sender);
        m.status = MatchStatus.CANCELLED;
        emit MatchCancelled(matchId);
    }

    // --- the match --------------------------------------------------------------------------------------------

    /// @inheritdoc IArena
    function drawSeed(uint256 matchId) external {
        StoredMatch storage m = _expect(matchId, MatchStatus.ACCEPTED);
        uint256 seedBlock = m.seedBlock;
        // INVARIANT P58: the seed comes from a block whose hash nobody knew when the second of the two agreed.
        if (block.number <= seedBlock) revert SeedNotKnown(seedBlock);
        bytes32 hash = Blockhash.blockHash(seedBlock);
        // INVARIANT P75: a match has one throw. Who would lose it gains nothing by letting the hash be forgotten; either owner,
        // or anybody, could have drawn.
        if (hash == 0) return _expire(matchId, m);
        uint64 seed = uint64(SplitMix64.fold64(keccak256(abi.encode(hash, address(this), matchId))));
        m.battleSeed = seed;
        m.status = MatchStatus.SEEDED;
        emit MatchSeeded(matchId, seed, _openRecordWindow(m));
    }

    /// @inheritdoc IArena
    function expire(uint256 matchId) external {
        StoredMatch storage m = _matches[matchId];
        if (m.status == MatchStatus.ACCEPTED) {
            uint256 seedBlock = m.seedBlock;
            if (block.number <= seedBlock || Blockhash.blockHash(seedBlock) != 0) {
                revert SeedStillKnown(matchId, seedBlock + BLOCK_HASHES);
            }
        } else {
            _expect(matchId, MatchStatus.SEEDED);
            if (block.timestamp < m.recordUntil) revert RecordWindowOpen(matchId, m.recordUntil);
        }
        _expire(matchId, m);
    }

    function _expire(uint256 matchId, StoredMatch storage m) private {
        emit MatchExpired(matchId, m.status);
        m.status = MatchStatus.EXPIRED;
    }

    /// @dev INVARIANT P76: a match is recorded within its record window or never, so that none is kept for a better day. Time
    /// counts only while it can be recorded: who lets a lie stand and disproves it at the end takes none from the truth.
    function _openRecordWindow(StoredMatch storage m) private returns (uint40 recordUntil) {
        // 2^40 seconds are 34,000 years, and a window is at most three.
        recordUntil = uint40(block.timestamp + seasons.arena(m.season).recordWindow);
        m.recordUntil = recordUntil;
    }

    /// @inheritdoc IArena
    function record(
        uint256 matchId,
        uint64 expectedSeed,
        uint8 result,
        uint8 turns,
        bytes32 logRoot,
        uint256[] calldata log
    ) external {
        StoredMatch storage m = _expect(matchId, MatchStatus.SEEDED);
        // INVARIANT P67: no bond answers for another match than the one played, whatever a reorg put in its place.
        if (m.battleSeed != expectedSeed) revert WrongBattleSeed(m.battleSeed, expectedSeed);
        // INVARIANT P76, continued.
        if (block.timestamp >= m.recordUntil) revert RecordWindowOver(matchId, m.recordUntil);
        if (result > uint8(MatchResult.DRAW)) revert UnknownResult(result);
        uint256 maxTurns = seasons.rules(m.season).maxTurns;
        if (turns == 0 || turns > maxTurns) revert WrongTurns(maxTurns, turns);
        if (log.length != turns) revert WrongLogLength(turns, log.length);
        // Who waits with a record until nodes have forgotten the states could not be disproved.
        _requirePublished(m.beastA, m.stateA, m.season);
        _requirePublished(m.beastB, m.stateB, m.season);
        // INVARIANT P59: no record without its whole log in public, so that everybody can find the lie in it.
        bytes32 actual = Logs.root(log);
        if (logRoot != actual) revert WrongLogRoot(actual, logRoot);
        _record(matchId, m, MatchResult(result), turns, logRoot, log);
    }

    function _record(
        uint256 matchId,
        StoredMatch storage m,
        MatchResult result,
        uint8 turns,
        bytes32 logRoot,
        uint256[] calldata log
    ) private {
        ArenaTerms memory terms = seasons.arena(m.season);
        // 2^40 seconds are 34,000 years, and a period is at most 365 days.
        uint40 finalAt = uint40(block.timestamp + terms.disproofPeriod);
        // INVARIANT P61: every record costs a bond, which is lost if it is wrong.
        _debit(msg.sender, terms.recordBond);
        m.status = MatchStatus.RECORDED;
        m.bond = terms.recordBond;
        m.turns = turns;
        (m.reporter, m.finalAt, m.result) = (msg.sender, finalAt, result);
        m.logRoot = logRoot;
        emit MatchRecorded(matchId, msg.sender, result, turns, logRoot, terms.recordBond, finalAt, log);
    }

    /// @inheritdoc IArena
    function finalize(uint256 matchId) external {
        StoredMatch storage m = _expect(matchId, MatchStatus.RECORDED);
        // INVARIANT P62: a record is disproved before `finalAt` only, and final not before.
        if (block.timestamp < m.finalAt) revert DisproofPeriodOpen(matchId, m.finalAt);
        m.status = MatchStatus.FINAL;
        _credit(m.reporter, m.bond);
        ArenaTerms memory terms = _rewardTerms(m.season);
        MatchResult result = m.result;
        uint256 forA = result == MatchResult.A ? terms.winnerReward : terms.loserReward;
        uint256 forB = result == MatchResult.B ? terms.winnerReward : terms.loserReward;
        forA = _reward(m.beastA, m.ownerA, forA, terms);
        forB = _reward(m.beastB, m.ownerB, forB, terms);
        emit MatchFinalized(matchId, result, forA, forB);
    }

    /// @dev INVARIANT P73: no match pays more than the season in force, nor more than the season it was agreed in.
    function _rewardTerms(uint16 agreed) private view returns (ArenaTerms memory terms) {
        terms = seasons.arena(agreed);
        uint16 present = seasons.effectiveSeason();
        if (present != agreed) terms = Rewards.lesser(terms, seasons.arena(present));
    }

    /// @dev Credits to the owner what the beast has earned by the reward.
    function _reward(
        uint256 beastId,
        address owner,
        uint256 reward,
        ArenaTerms memory terms
    ) private returns (uint256 credited) {
        Earnings memory e = _earnings[beastId];
        // INVARIANT P72: a beast is never credited more than a share of what its own final training burned. So beasts that only
        // fight each other earn less than they cost, however many there are.
        uint256 allowed = e.allowance(ledger.burnedOf(beastId), terms.rewardCapBps);
        // INVARIANT P64: in a cooldown a beast earns its best reward and no more, in whatever order its matches become final.
        (credited, e) = e.earn(reward, terms.rewardCooldown, allowed);
        if (credited == 0) return 0;
        _earnings[beastId] = e;
        rewardsOf[owner] += credited;
    }

    /// @inheritdoc IArena
    function claimRewards(address to) external {
        uint256 amount = rewardsOf[msg.sender];
        if (amount == 0) revert NoRewards(msg.sender);
        // INVARIANT P65: a reward is claimed once; finality never waits for the right to mint.
        rewardsOf[msg.sender] = 0;
        emit RewardsClaimed(msg.sender, to, amount);
        energy.mint(to, amount);
    }

    // --- disproofs, each in one transaction -------------------------------------------------------------------

    /// @inheritdoc IArena
    function disproveFirstWord(uint256 matchId, uint256 word, bytes32[] calldata proof) external {
        StoredMatch storage m = _disputable(matchId);
        _openWord(m, 0, word, proof);
        bytes32 dnaA = _dnaOf(m.beastA);
        if (word == referee.firstWord(dnaA, _dnaOf(m.beastB), m.battleSeed, _rules(m))) revert RecordCorrect(matchId);
        _slash(matchId, m, MatchLie.FIRST_WORD, 0);
    }

    /// @inheritdoc IArena
    function disproveOver(uint256 matchId, uint8 turn, uint256 word, bytes32[] calldata proof) external {
        StoredMatch storage m = _disputable(matchId);
        _openWord(m, turn, word, proof);
        if (referee.isActive(word, _rules(m))) revert RecordCorrect(matchId);
        _slash(matchId, m, MatchLie.OVER, turn);
    }

    /// @inheritdoc IArena
    function disproveTurn(
        uint256 matchId,
        uint8 turn,
        uint256 word,
        uint256 nextWord,
        bytes32[] calldata proof,
        bytes32[] calldata nextProof,
        StateHeader calldata header,
        RowOpening calldata opening
    ) external {
        StoredMatch storage m = _disputable(matchId);
        _openWord(m, turn, word, proof);
        // The word is in the log, so turn is below m.turns, and turn + 1 at most 254.
        Rules memory rules = _rules(m);
        if (!referee.isActive(word, rules)) return _slash(matchId, m, MatchLie.OVER, turn);
        bool last = turn + 1 == m.turns;
        if (!last) _openWord(m, turn + 1, nextWord, nextProof);
        // INVARIANT P63: a turn is judged by the state of the beast whose turn it is.
        bytes32 state = Matches.aActsFirst(m.battleSeed) == (turn & 1 == 0) ? m.stateA : m.stateB;
        uint256 next = referee.nextWord(state, header, opening, word, m.battleSeed, rules);
        if (!last) {
            if (next == nextWord) revert RecordCorrect(matchId);
            return _slash(matchId, m, MatchLie.TURN, turn);
        }
        // Nothing in the log follows the last word: it must lead to an end, and to the recorded one.
        (bool over, uint8 result) = _outcome(m, next, rules);
        if (over && result == uint8(m.result)) revert RecordCorrect(matchId);
        _slash(matchId, m, MatchLie.END, turn);
    }

    function _outcome(
        StoredMatch storage m,
        uint256 word,
        Rules memory rules
    ) private view returns (bool over, uint8 result) {
        return referee.outcome(word, _dnaOf(m.beastA), _dnaOf(m.beastB), m.battleSeed, rules);
    }

    function _slash(uint256 matchId, StoredMatch storage m, MatchLie lie, uint8 turn) private {
        address reporter = m.reporter;
        uint256 bond = m.bond;
        // INVARIANT P66: the bond is split between challenger and burn, and something always burns (the registry's bound on
        // the shares), so disproving oneself costs.
        uint256 reward = (bond * _rewardBps(m.season)) / MAX_BPS;
        // As before the record: the truth can be recorded at once, by anybody, under the same seed.
        m.status = MatchStatus.SEEDED;
        m.bond = 0;
        m.turns = 0;
        (m.reporter, m.finalAt, m.result) = (address(0), 0, MatchResult.A);
        m.logRoot = 0;
        _credit(msg.sender, reward);
        uint40 recordUntil = _openRecordWindow(m);
        emit MatchDisproved(matchId, reporter, msg.sender, lie, turn, reward, bond - reward, recordUntil);
        energy.burn(bond - reward);
    }

    // --- views ------------------------------------------------------------------------------------------------

    /// @inheritdoc IArena
    function matchOf(uint256 matchId) external view returns (Match memory) {
        return _matches[matchId].load();
    }

    /// @inheritdoc IArena
    function finalLog(uint256 matchId) external view returns (bytes32 logRoot, uint32 turns, uint40 finalAt) {
        StoredMatch storage m = _expect(matchId, MatchStatus.FINAL);
        return (m.logRoot, m.turns, m.finalAt);
    }

    /// @inheritdoc IArena
    function openChallengeOf(uint256 beastId) external view returns (OpenChallenge memory) {
        return _open[beastId];
    }

    /// @inheritdoc IArena
    function rewardedOf(uint256 beastId) external view returns (uint256) {
        return _earnings[beastId].total;
    }

    /// @inheritdoc IArena
    function rewardAllowanceOf(uint256 beastId) external view returns (uint256) {
        Earnings memory e = _earnings[beastId];
        uint256 capBps = seasons.arena(seasons.effectiveSeason()).rewardCapBps;
        return e.allowance(ledger.burnedOf(beastId), capBps);
    }

    // --- small things -----------------------------------------------------------------------------------------

    function _requireOwner(uint256 beastId) private view {
        if (beasts.ownerOf(beastId) != msg.sender) revert NotBeastOwner(beastId, msg.sender);
    }

    /// @dev INVARIANT P57: beasts fight with the states of final checkpoints, which never fall.
    function _finalState(uint256 beastId, Checkpoint calldata c) private view returns (bytes32 state) {
        if (ledger.statusOf(beastId, c) != CheckpointStatus.FINAL) revert NotFinal(beastId, c.index);
        state = c.payload.h128;
        _requirePublished(beastId, state, seasons.effectiveSeason());
    }

    /// @dev INVARIANT P68: no beast fights with a state that only somebody can know, so that every turn can be replayed and
    /// disproved by everybody. The publication must outlive the match: nodes forget what is older.
    function _requirePublished(uint256 beastId, bytes32 state, uint16 season) private view {
        uint256 publishedAt = states.publicationOf(state).time;
        if (publishedAt == 0 || publishedAt + seasons.economics(season).publicationAge < block.timestamp) {
            revert StateNotPublished(beastId, state);
        }
    }

    function _nonceOf(uint256 beastId) private view returns (uint64) {
        return uint64(beasts.ownershipNonceOf(beastId));
    }

    function _expect(uint256 matchId, MatchStatus wanted) private view returns (StoredMatch storage m) {
        m = _matches[matchId];
        MatchStatus status = m.status;
        if (status == MatchStatus.NONE) revert NoSuchMatch(matchId);
        if (status != wanted) revert WrongMatchStatus(matchId, uint8(status));
    }

    /// @dev INVARIANT P62, continued.
    function _disputable(uint256 matchId) private view returns (StoredMatch storage m) {
        m = _expect(matchId, MatchStatus.RECORDED);
        if (block.timestamp >= m.finalAt) revert DisproofPeriodClosed(matchId, m.finalAt);
    }

    function _openWord(StoredMatch storage m, uint256 turn, uint256 word, bytes32[] calldata proof) private view {
        Logs.open(m.logRoot, m.turns, turn, word, proof);
    }

    /// @dev Who disproves a record has found and proved the lie: both shares.
    function _rewardBps(uint16 season) private view returns (uint256) {
        Economics memory e = seasons.economics(season);
        return uint256(e.filingBps) + e.proofBps;
    }

    function _dnaOf(uint256 beastId) private view returns (bytes32) {
        return beasts.birthOf(beastId).dna;
    }

    function _rules(StoredMatch storage m) private view returns (Rules memory) {
        return seasons.rules(m.season);
    }
}
