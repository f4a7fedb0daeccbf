// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBeasts} from "./interfaces/IBeasts.sol";
import {IDatasetStage} from "./interfaces/IDatasetStage.sol";
import {IRecordArchive} from "./interfaces/IRecordArchive.sol";
import {SplitMix64} from "./kernel/SplitMix64.sol";
import {OpeningGas} from "./libraries/OpeningGas.sol";
import {Publication, Publications} from "./libraries/Publications.sol";
import {Records} from "./libraries/Records.sol";
import {Commitments} from "./types/BeastTypes.sol";

/// @title Records of private datasets in public
/// @dev The interface carries the rest of the documentation.
contract RecordArchive is IRecordArchive {
    using Publications for Publication;

    uint256 private constant WINDOW_STEPS = 128;
    /// @dev About what one transaction carries; more than that is staged.
    uint256 private constant MAX_WHOLE_DATASET = 120_000;

    /// @dev A secret made public. Beasts' commitments never change, so it is settled once per beast.
    struct Fold {
        bool revealed;
        uint64 fold;
    }

    struct Opened {
        bytes32 wordsHash;
        Publication publication;
    }

    IBeasts public immutable beasts;
    IDatasetStage public immutable stage;

    /// @inheritdoc IRecordArchive
    mapping(uint256 beastId => Fold) public foldOf;
    mapping(uint256 beastId => mapping(uint32 index => Opened)) private _opened;

    constructor(IBeasts beasts_, IDatasetStage stage_) {
        beasts = beasts_;
        stage = stage_;
    }

    /// @inheritdoc IRecordArchive
    function publish(
        uint256 beastId,
        uint32 index,
        bytes32 ownerSecret,
        bytes calldata order,
        bytes32[] calldata words,
        bytes32[] calldata siblings
    ) external {
        Opened storage opened = _opened[beastId][index];
        if (!opened.publication.isDue()) return;
        OpeningGas.requirePlain();
        Commitments memory committed = _commitments(beastId);
        uint256 fold = _reveal(beastId, committed, ownerSecret);
        uint256 length = committed.datasetLength;
        uint32 firstStep;
        unchecked {
            firstStep = index * uint32(WINDOW_STEPS);
        }
        uint256 streamSeed = SplitMix64.fold64(beasts.birthOf(beastId).dna) ^ fold;
        (uint256[] memory indices, bytes32 wordsHash) = Records.map(length, streamSeed, firstStep, order, words);
        // INVARIANT P37: opened words are those under the root that the owner committed to before the DNA existed.
        bytes32 root = Records.root(indices, words, Records.depth(length), siblings);
        if (root != committed.recordsRoot) revert WrongRecordsRoot(committed.recordsRoot, root);
        opened.wordsHash = wordsHash;
        opened.publication.renew(OpeningGas.ofRecords(words.length, siblings.length), OpeningGas.price());
        emit RecordsPublished(beastId, index, ownerSecret, order, words, siblings);
    }

    /// @inheritdoc IRecordArchive
    function revealDataset(uint256 beastId, bytes calldata dataset, bytes32 ownerSecret) external {
        if (dataset.length > MAX_WHOLE_DATASET) revert DatasetTooLarge(MAX_WHOLE_DATASET, dataset.length);
        _revealDataset(beastId, keccak256(dataset), ownerSecret);
        emit DatasetRevealed(beastId, keccak256(dataset));
    }

    /// @inheritdoc IRecordArchive
    function revealStaged(uint256 beastId, address uploader, bytes32 ownerSecret) external {
        bytes32 cDataset = _commitments(beastId).cDataset;
        (bytes32 dataHash, address[] memory chunks) = stage.open(uploader, cDataset, ownerSecret);
        _revealDataset(beastId, dataHash, ownerSecret);
        emit StagedDatasetRevealed(beastId, cDataset, chunks);
    }

    /// @inheritdoc IRecordArchive
    function recordsOf(
        uint256 beastId,
        uint32 index
    ) external view returns (bytes32 wordsHash, Publication memory publication) {
        Opened storage opened = _opened[beastId][index];
        return (opened.wordsHash, opened.publication);
    }

    function _revealDataset(uint256 beastId, bytes32 dataHash, bytes32 ownerSecret) private {
        Commitments memory committed = _commitments(beastId);
        if (dataHash != committed.cDataset) revert WrongDataset(committed.cDataset, dataHash);
        _reveal(beastId, committed, ownerSecret);
    }

    /// @dev Checks a secret against its commitment and keeps its fold.
    function _reveal(
        uint256 beastId,
        Commitments memory committed,
        bytes32 ownerSecret
    ) private returns (uint256 fold) {
        bytes32 secretHash = keccak256(abi.encode(ownerSecret));
        if (secretHash != committed.ownerSecretHash) revert WrongOwnerSecret(committed.ownerSecretHash, secretHash);
        fold = SplitMix64.fold64(ownerSecret);
        if (foldOf[beastId].revealed) return fold;
        foldOf[beastId] = Fold(true, uint64(fold));
        emit SecretRevealed(beastId, ownerSecret);
    }

    function _commitments(uint256 beastId) private view returns (Commitments memory committed) {
        committed = beasts.commitmentsOf(beastId);
        if (committed.cDataset == 0) revert NoPrivateDataset(beastId);
    }
}
