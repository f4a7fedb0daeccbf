// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Match, MatchLie, MatchResult, MatchStatus, OpenChallenge} from "../types/ArenaTypes.sol";
import {Checkpoint} from "../types/CheckpointTypes.sol";
import {RowOpening, StateHeader} from "../types/KernelTypes.sol";
import {ICheckpointLedger} from "./ICheckpointLedger.sol";
import {IEnergyEscrow} from "./IEnergyEscrow.sol";
import {IStateArchive} from "./IStateArchive.sol";

/// @title Matches that anybody can check
/// @notice Two owners agree on two final states; a block hash that neither knew then seeds the match, which is thereby
/// decided. Anyone may record it, with a bond and the whole log; anyone may disprove a wrong record in one transaction.
/// No owner, no server.
interface IArena is IEnergyEscrow {
    event OpenChallengeSet(uint256 indexed beastId, address indexed owner, bytes32 state);
    event OpenChallengeClosed(uint256 indexed beastId, address indexed owner);
    event MatchChallenged(
        uint256 indexed matchId,
        uint256 indexed beastA,
        uint256 indexed beastB,
        address ownerA,
        bytes32 stateA
    );
    event MatchAccepted(
        uint256 indexed matchId,
        address indexed ownerB,
        bytes32 stateB,
        uint16 season,
        uint64 seedBlock
    );
    event MatchCancelled(uint256 indexed matchId);
    /// @param recordUntil first second at which it can be recorded no more
    event MatchSeeded(uint256 indexed matchId, uint64 battleSeed, uint40 recordUntil);
    /// @notice The match has no result and never will have one: nobody drew its seed, or recorded it, in time.
    event MatchExpired(uint256 indexed matchId, MatchStatus previousStatus);
    /// @param log the word before each activation, so that everybody can check the record and train on it
    event MatchRecorded(
        uint256 indexed matchId,
        address indexed reporter,
        MatchResult result,
        uint8 turns,
        bytes32 logRoot,
        uint128 bond,
        uint40 finalAt,
        uint256[] log
    );
    /// @param turn the turn that the lie is in
    /// @param reward the challenger's part of the bond; the rest is burned
    /// @param recordUntil first second at which the match, SEEDED again, can be recorded no more
    event MatchDisproved(
        uint256 indexed matchId,
        address indexed reporter,
        address indexed challenger,
        MatchLie lie,
        uint8 turn,
        uint256 reward,
        uint256 burned,
        uint40 recordUntil
    );
    /// @param rewardA credited to A's owner, after cooldown and cap
    /// @param rewardB credited to B's owner, after cooldown and cap
    event MatchFinalized(uint256 indexed matchId, MatchResult result, uint256 rewardA, uint256 rewardB);
    event RewardsClaimed(address indexed account, address indexed to, uint256 amount);

    error NoSuchMatch(uint256 matchId);
    /// @notice The match is not where this move can be made.
    error WrongMatchStatus(uint256 matchId, uint8 actual);
    error NotBeastOwner(uint256 beastId, address caller);
    /// @notice A beast does not fight itself, nor another of the same owner.
    error SelfChallenge(uint256 beastA, uint256 beastB);
    /// @notice The record is not a final checkpoint of the beast.
    error NotFinal(uint256 beastId, uint32 index);
    /// @notice The state is not in the archive, or was published so long ago that nodes may not serve it any more.
    error StateNotPublished(uint256 beastId, bytes32 state);
    error NotOpen(uint256 beastId);
    /// @notice The challenging beast has changed hands: its new owner did not ask for this match.
    error ChallengeLapsed(uint256 matchId, address challenger, address owner);
    /// @notice The challenger fights with another state than the caller agreed to.
    error WrongOpponent(bytes32 stateA, bytes32 expectedStateA);
    error NotChallenger(uint256 matchId, address caller);
    /// @notice The seed's block is not past yet.
    error SeedNotKnown(uint256 seedBlock);
    /// @notice The caller played the match from another seed.
    error WrongBattleSeed(uint64 battleSeed, uint64 expectedSeed);
    error WrongTurns(uint256 max, uint256 actual);
    error WrongLogLength(uint256 expected, uint256 actual);
    error WrongLogRoot(bytes32 expected, bytes32 actual);
    /// @notice A result is 0 (A won), 1 (B won) or 2 (nobody).
    error UnknownResult(uint8 result);
    error TurnOutOfRange(uint256 last, uint256 actual);
    /// @notice The Merkle proof does not lead from the word to the recorded root.
    error WrongProof(uint256 turn, uint256 word);
    error WrongProofLength(uint256 expected, uint256 actual);
    /// @notice The record is right in what this call could disprove.
    error RecordCorrect(uint256 matchId);
    /// @notice The seed can still be drawn: the match expires after `lastBlock`.
    error SeedStillKnown(uint256 matchId, uint256 lastBlock);
    error RecordWindowOpen(uint256 matchId, uint256 endsAt);
    error RecordWindowOver(uint256 matchId, uint256 recordUntil);
    error DisproofPeriodOpen(uint256 matchId, uint256 endsAt);
    error DisproofPeriodClosed(uint256 matchId, uint256 endedAt);
    error NoRewards(address account);

    // --- agreeing on a match ----------------------------------------------------------------------------------

    /// @notice Let the beast take on every challenge from now on, with the state of a final checkpoint.
    function openChallenge(uint256 beastId, Checkpoint calldata checkpoint) external;

    function closeChallenge(uint256 beastId) external;

    /// @notice Challenge `beastB` with the state of a final checkpoint of `beastA`. If B is open, it accepts at once.
    function challenge(
        uint256 beastA,
        Checkpoint calldata checkpointA,
        uint256 beastB
    ) external returns (uint256 matchId);

    /// @notice Accept, with the state of a final checkpoint of B. Only B's owner.
    /// @param expectedStateA the state agreed to fight, so that no reorg can put another match in its place
    function accept(uint256 matchId, bytes32 expectedStateA, Checkpoint calldata checkpointB) external;

    /// @notice Take back a challenge that nobody has accepted. Only who challenged.
    function cancel(uint256 matchId) external;

    // --- the match --------------------------------------------------------------------------------------------

    /// @notice Fix the seed: fold64 of keccak256(abi.encode(hash of seedBlock, address(this), matchId)). Anyone may call, 1 to 8,191
    /// blocks later. After that the match expires: there is no second throw.
    function drawSeed(uint256 matchId) external;

    /// @notice State the match's result, with a bond from the caller's escrow and the log in full.
    /// @param expectedSeed the seed that it was played from, so that no reorg can make a right record wrong
    /// @param result a MatchResult
    function record(
        uint256 matchId,
        uint64 expectedSeed,
        uint8 result,
        uint8 turns,
        bytes32 logRoot,
        uint256[] calldata log
    ) external;

    /// @notice End a match whose seed nobody drew while its block's hash was known, or that nobody recorded in time. Anyone may
    /// call.
    function expire(uint256 matchId) external;

    /// @notice Make a record final that nobody disproved: the bond goes back, the owners' rewards can be claimed.
    function finalize(uint256 matchId) external;

    /// @notice Mint the caller's rewards to `to`.
    function claimRewards(address to) external;

    // --- disproofs, each in one transaction -------------------------------------------------------------------

    /// @notice The log begins with another word than the match.
    function disproveFirstWord(uint256 matchId, uint256 word, bytes32[] calldata proof) external;

    /// @notice The log goes on though the match is over (or the word is none).
    function disproveOver(uint256 matchId, uint8 turn, uint256 word, bytes32[] calldata proof) external;

    /// @notice The acting beast's activation of `word` leads to another word than `nextWord`; of the last word, to
    /// another end than recorded (`nextWord` and `nextProof` are then ignored).
    /// @param opening the rows that the acting beast's forward pass reads (IMatchReferee.nextWord)
    function disproveTurn(
        uint256 matchId,
        uint8 turn,
        uint256 word,
        uint256 nextWord,
        bytes32[] calldata proof,
        bytes32[] calldata nextProof,
        StateHeader calldata header,
        RowOpening calldata opening
    ) external;

    // --- views ------------------------------------------------------------------------------------------------

    /// @notice Ids handed out so far, from 1.
    function matchCount() external view returns (uint256);

    function matchOf(uint256 matchId) external view returns (Match memory);

    /// @notice The ledger whose final checkpoints fight here.
    function ledger() external view returns (ICheckpointLedger);

    /// @notice Root and length of a final match's log, and since when it could be final. Reverts for any other.
    function finalLog(uint256 matchId) external view returns (bytes32 logRoot, uint32 turns, uint40 finalAt);

    /// @notice The open challenge of a beast, all zero if there is none.
    function openChallengeOf(uint256 beastId) external view returns (OpenChallenge memory);

    /// @notice Where the states that fight here are published.
    function states() external view returns (IStateArchive);

    /// @notice Rewards that the account can claim.
    function rewardsOf(address account) external view returns (uint256);

    /// @notice Rewards that were ever credited for the beast, claimed or not.
    function rewardedOf(uint256 beastId) external view returns (uint256);

    /// @notice What could still be credited for the beast under the season in force: its cap, less what was credited.
    function rewardAllowanceOf(uint256 beastId) external view returns (uint256);
}
