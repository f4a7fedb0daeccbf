// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/src/utils/SSTORE2.sol";

import {IDatasetStage} from "./interfaces/IDatasetStage.sol";

/// @title Datasets staged over transactions
/// @dev The interface carries the rest of the documentation.
contract DatasetStage is IDatasetStage {
    uint256 private constant MAX_SIZE = 524_288;
    /// @dev EIP-170's limit, less the STOP byte that keeps a chunk from being called
    uint256 private constant MAX_CHUNK = 24_575;

    /// @dev `round` outlives `abandon`: by it an uploader's client tells the steps of one stage from those of the one
    /// before.
    struct Stage {
        bytes32 seal;
        uint64 begunAt;
        uint64 round;
        uint64 size;
        address[] chunks;
    }

    mapping(address uploader => mapping(bytes32 cDataset => Stage)) private _stages;

    /// @inheritdoc IDatasetStage
    function begin(bytes32 cDataset, bytes32 seal) external {
        // INVARIANT P31: a stage is its uploader's alone; nobody else can begin, fill or abandon it.
        Stage storage s = _stages[msg.sender][cDataset];
        if (seal == 0) revert EmptySeal();
        if (s.seal != 0) revert StageExists(cDataset);
        s.seal = seal;
        s.begunAt = uint64(block.number);
        emit StageBegun(msg.sender, cDataset, seal);
    }

    /// @inheritdoc IDatasetStage
    function stage(bytes32 cDataset, uint256 first, bytes[] calldata chunks) external {
        Stage storage s = _require(msg.sender, cDataset);
        // INVARIANT P32: the chunks lie in the order of the dataset, each once; only the last may be short, so that
        // there are never more than 22.
        if (first != s.chunks.length) revert WrongChunk(s.chunks.length, first);
        uint256 size = s.size;
        for (uint256 i = 0; i < chunks.length; ++i) {
            bytes calldata chunk = chunks[i];
            if (size % MAX_CHUNK != 0) revert StageIsClosed(size);
            if (chunk.length == 0 || chunk.length > MAX_CHUNK) revert ChunkLength(MAX_CHUNK, chunk.length);
            size += chunk.length;
            if (size > MAX_SIZE) revert DatasetTooLong(MAX_SIZE, size);
            s.chunks.push(SSTORE2.write(chunk));
        }
        s.size = uint64(size);
        emit ChunksStaged(msg.sender, cDataset, s.chunks.length, size);
    }

    /// @inheritdoc IDatasetStage
    function abandon(bytes32 cDataset) external {
        Stage storage s = _require(msg.sender, cDataset);
        // Chunks are forgotten, not removed: code cannot be.
        uint64 round = s.round;
        delete _stages[msg.sender][cDataset];
        s.round = round + 1;
        emit StageAbandoned(msg.sender, cDataset);
    }

    /// @inheritdoc IDatasetStage
    function open(
        address uploader,
        bytes32 cDataset,
        bytes32 ownerSecret
    ) external view returns (bytes32 dataHash, address[] memory chunks) {
        Stage storage s = _require(uploader, cDataset);
        // INVARIANT P33: only who knew the secret when its stage began opens it; a secret seen in a pending
        // transaction comes too late, since the stage is older than the block and its seal names the uploader.
        if (s.begunAt == block.number) revert StageTooYoung(s.begunAt);
        bytes32 seal = keccak256(abi.encode(uploader, ownerSecret));
        if (seal != s.seal) revert WrongSeal(s.seal, seal);
        chunks = s.chunks;
        dataHash = _hash(chunks, s.size);
    }

    /// @dev One buffer for all chunks: memory costs quadratically, 0.6 million gas for 512 kB. It lies behind the free
    /// pointer, which is not moved: nothing is allocated before the hash is taken, nor the buffer used after it. `size`
    /// is the sum of the chunks' lengths, by P32, and their code, a zero byte and the chunk, cannot change.
    function _hash(address[] memory chunks, uint256 size) private view returns (bytes32 dataHash) {
        assembly ("memory-safe") {
            let start := mload(0x40)
            let end := start
            let item := add(chunks, 0x20)
            for {
                let last := add(item, shl(5, mload(chunks)))
            } lt(item, last) {
                item := add(item, 0x20)
            } {
                let pointer := mload(item)
                let length := sub(extcodesize(pointer), 1)
                extcodecopy(pointer, end, 1, length)
                end := add(end, length)
            }
            dataHash := keccak256(start, size)
        }
    }

    /// @inheritdoc IDatasetStage
    function stageOf(
        address uploader,
        bytes32 cDataset
    ) external view returns (bytes32 seal, uint256 begunAt, uint256 round, uint256 size, bytes32[] memory chunkHashes) {
        Stage storage s = _stages[uploader][cDataset];
        (seal, begunAt, round, size) = (s.seal, s.begunAt, s.round, s.size);
        chunkHashes = new bytes32[](s.chunks.length);
        for (uint256 i = 0; i < chunkHashes.length; ++i) {
            chunkHashes[i] = s.chunks[i].codehash;
        }
    }

    function _require(address uploader, bytes32 cDataset) private view returns (Stage storage s) {
        s = _stages[uploader][cDataset];
        if (s.seal == 0) revert NoStage(uploader, cDataset);
    }
}
