// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Publication} from "../libraries/Publications.sol";

/// @title Records of private datasets in public
/// @notice Opens the records that a private window samples against what its owner committed to at hatch, and keeps what
/// a contract needs to believe them later: a hash of the 128 words and a time. Also where an owner's secret becomes
/// public. No owner, no money.
interface IRecordArchive {
    /// @notice The owner's secret is public, and with it which record each step samples.
    event SecretRevealed(uint256 indexed beastId, bytes32 ownerSecret);
    /// @notice The whole private dataset is public, in this transaction's calldata.
    event DatasetRevealed(uint256 indexed beastId, bytes32 cDataset);
    /// @param chunks contracts whose code is a zero byte and a part of the compressed dataset, in order
    event StagedDatasetRevealed(uint256 indexed beastId, bytes32 cDataset, address[] chunks);
    /// @notice The records of a window are public.
    /// @param order per step the place of its record in `words`, one byte each
    /// @param words the distinct records, by ascending index in the dataset
    /// @param siblings the multiproof that led to the committed root
    event RecordsPublished(
        uint256 indexed beastId,
        uint32 indexed index,
        bytes32 ownerSecret,
        bytes order,
        bytes32[] words,
        bytes32[] siblings
    );

    error NoPrivateDataset(uint256 beastId);
    error WrongOwnerSecret(bytes32 committed, bytes32 actual);
    error WrongDataset(bytes32 committed, bytes32 actual);
    /// @notice More than one transaction carries: stage it.
    error DatasetTooLarge(uint256 max, uint256 actual);
    error OrderLength(uint256 expected, uint256 actual);
    error RecordCount(uint256 max, uint256 actual);
    /// @notice The step samples another record than its place in `words` says, or the place does not exist.
    error WrongOrder(uint256 step, uint256 index);
    /// @notice Each record comes once, by ascending index; this place is none's, or out of order.
    error RecordsUnordered(uint256 place);
    error SiblingCount(uint256 expected, uint256 actual);
    error WrongRecordsRoot(bytes32 committed, bytes32 actual);

    /// @notice Open the records of a private window. Any plain account may, by a transaction of its own: NotPlainAccount. While
    /// the publication is younger than RENEWAL nothing happens, so that a second one neither fails nor moves its time.
    /// @param index of the window in the beast's life
    /// @param order 128 bytes: per step the place of its record in `words`
    /// @param words the distinct records that the window samples, by ascending index in the dataset, each once
    /// @param siblings what the multiproof lacks, level by level from the leaves up, by ascending index
    function publish(
        uint256 beastId,
        uint32 index,
        bytes32 ownerSecret,
        bytes calldata order,
        bytes32[] calldata words,
        bytes32[] calldata siblings
    ) external;

    /// @notice Reveal a whole dataset and its owner's secret.
    /// @param dataset the exact compressed bytes behind C_dataset, at most 120,000; hashed, not stored
    function revealDataset(uint256 beastId, bytes calldata dataset, bytes32 ownerSecret) external;

    /// @notice Reveal a dataset that `uploader` has put on its stage, in an earlier block and sealed with the secret.
    function revealStaged(uint256 beastId, address uploader, bytes32 ownerSecret) external;

    /// @notice The publication of a window's records.
    /// @return wordsHash keccak256 of 16 hashes, each keccak256 of a segment's eight words in step order; 0 if there is none
    /// @return publication its time, block and cost
    function recordsOf(
        uint256 beastId,
        uint32 index
    ) external view returns (bytes32 wordsHash, Publication memory publication);

    /// @notice fold64 of an owner's secret, once it is public.
    function foldOf(uint256 beastId) external view returns (bool revealed, uint64 fold);
}
