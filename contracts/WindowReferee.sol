// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBeasts} from "./interfaces/IBeasts.sol";
import {ICheckpointLedger} from "./interfaces/ICheckpointLedger.sol";
import {IRecordArchive} from "./interfaces/IRecordArchive.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {IStepReferee} from "./interfaces/IStepReferee.sol";
import {IWindowReferee} from "./interfaces/IWindowReferee.sol";
import {Schedules} from "./libraries/Schedules.sol";
import {Commitments} from "./types/BeastTypes.sol";
import {Checkpoint, EpochRecord} from "./types/CheckpointTypes.sol";
import {StateHeader, WindowContext} from "./types/KernelTypes.sol";
import {Schedule} from "./types/SeasonTypes.sol";

/// @title The judge of windows
/// @dev The interface carries the rest of the documentation.
contract WindowReferee is IWindowReferee {
    using Schedules for Schedule;

    uint8 private constant BATTLE = 2;
    uint8 private constant PRIVATE = 3;
    // The first byte of a PRIVATE window's witnesses. The sender names the form, so that a publication in between cannot make
    // its proof fail.
    uint8 private constant MERKLE_PATHS = 0;
    uint8 private constant OPENED_WORDS = 1;
    uint256 private constant SEGMENT_STEPS = 8;
    /// @dev 16 digests of 32 bytes
    uint256 private constant DIGESTS = 512;
    uint256 private constant SEGMENT_BYTES = 256;

    /// @inheritdoc IWindowReferee
    ICheckpointLedger public immutable ledger;
    IBeasts public immutable beasts;
    ISeasonRegistry public immutable seasons;
    /// @inheritdoc IWindowReferee
    IRecordArchive public immutable records;
    /// @inheritdoc IWindowReferee
    IStepReferee public immutable referee;

    constructor(
        ICheckpointLedger ledger_,
        IBeasts beasts_,
        ISeasonRegistry seasons_,
        IRecordArchive records_,
        IStepReferee referee_
    ) {
        ledger = ledger_;
        beasts = beasts_;
        seasons = seasons_;
        records = records_;
        referee = referee_;
    }

    /// @inheritdoc IWindowReferee
    function runFromStart(
        uint256 beastId,
        Checkpoint calldata c,
        uint256 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) external view returns (bytes32) {
        WindowContext memory ctx = contextOf(beastId, c);
        bytes calldata own = _witnesses(ctx, beastId, c, 0, steps, witnesses);
        uint8 mask = c.payload.activeMask;
        if (c.index == 0) return referee.runFromGenesis(ctx, beastId, mask, steps, own);
        return referee.runFromParent(ctx, c.parent, header, weights, mask, steps, own);
    }

    /// @inheritdoc IWindowReferee
    function run(
        uint256 beastId,
        Checkpoint calldata c,
        bytes32 from,
        uint256 done,
        uint256 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) external view returns (bytes32) {
        WindowContext memory ctx = contextOf(beastId, c);
        bytes calldata own = _witnesses(ctx, beastId, c, done, steps, witnesses);
        return referee.run(ctx, from, header, weights, steps, own);
    }

    /// @inheritdoc IWindowReferee
    function contextOf(uint256 beastId, Checkpoint calldata c) public view returns (WindowContext memory context) {
        EpochRecord memory epoch = ledger.epochOf(beastId, c.payload.epoch);
        context.dna = beasts.birthOf(beastId).dna;
        context.epochSeed = epoch.epochSeed;
        context.heads = seasons.schedule(c.season).heads(c.payload.epoch);
        context.lrShift = c.payload.lrShift;
        context.source = c.payload.source;
        context.rules = seasons.rules(c.season);
        if (c.payload.source == PRIVATE) {
            Commitments memory committed = beasts.commitmentsOf(beastId);
            (, context.ownerSecretFold) = records.foldOf(beastId);
            context.recordsRoot = committed.recordsRoot;
            context.recordsLength = committed.datasetLength;
        } else if (c.payload.source == BATTLE) {
            (context.recordsRoot, context.recordsLength, ) = ledger.arena().finalLog(c.payload.sourceId);
        }
    }

    /// @dev The referee's witnesses for the steps. Opened records are checked here against the archive, and the context is
    /// told that its words need no proof.
    function _witnesses(
        WindowContext memory ctx,
        uint256 beastId,
        Checkpoint calldata c,
        uint256 done,
        uint256 steps,
        bytes calldata witnesses
    ) private view returns (bytes calldata) {
        if (ctx.source != PRIVATE) return witnesses;
        if (witnesses.length == 0) revert WitnessLength(1, 0);
        uint8 form = uint8(witnesses[0]);
        if (form == MERKLE_PATHS) {
            // INVARIANT P20: without opened records a private window is judged only by a secret that is public: with another
            // fold it would sample other records.
            (bool revealed, ) = records.foldOf(beastId);
            if (!revealed) revert RecordsNotOpened(beastId, c.index);
            return witnesses[1:];
        }
        if (form != OPENED_WORDS) revert UnknownWitnessForm(form);
        (bytes32 wordsHash, ) = records.recordsOf(beastId, c.index);
        if (wordsHash == 0) revert RecordsNotOpened(beastId, c.index);
        ctx.recordsRoot = 0;
        ctx.recordsLength = 0;
        return _openedWords(wordsHash, done, steps, witnesses[1:]);
    }

    function _openedWords(
        bytes32 wordsHash,
        uint256 done,
        uint256 steps,
        bytes calldata witnesses
    ) private pure returns (bytes calldata) {
        uint256 first = done / SEGMENT_STEPS;
        uint256 end = (done + steps + SEGMENT_STEPS - 1) / SEGMENT_STEPS;
        uint256 expected = DIGESTS + (end - first) * SEGMENT_BYTES;
        if (witnesses.length != expected) revert WitnessLength(expected, witnesses.length);
        bytes32 actual = keccak256(witnesses[:DIGESTS]);
        if (actual != wordsHash) revert WrongSegmentDigests(wordsHash, actual);
        for (uint256 segment = first; segment < end; ++segment) {
            uint256 offset = DIGESTS + (segment - first) * SEGMENT_BYTES;
            bytes32 digest = bytes32(witnesses[segment * 32:segment * 32 + 32]);
            if (keccak256(witnesses[offset:offset + SEGMENT_BYTES]) != digest) revert WrongWords(uint8(segment));
        }
        uint256 start = DIGESTS + (done - first * SEGMENT_STEPS) * 32;
        return witnesses[start:start + steps * 32];
    }
}
