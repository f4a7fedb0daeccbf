// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Where a dataset too large for one transaction is put together
/// @notice Every account has its own stage per C_dataset, so nobody can disturb another's. Chunks become code of
/// contracts of their own, which nothing can change or remove. No owner, no money.
interface IDatasetStage {
    /// @param seal keccak256(abi.encode(uploader, ownerSecret))
    event StageBegun(address indexed uploader, bytes32 indexed cDataset, bytes32 seal);
    /// @param size bytes staged so far
    event ChunksStaged(address indexed uploader, bytes32 indexed cDataset, uint256 chunks, uint256 size);
    event StageAbandoned(address indexed uploader, bytes32 indexed cDataset);

    error StageExists(bytes32 cDataset);
    error NoStage(address uploader, bytes32 cDataset);
    error EmptySeal();
    /// @notice Chunks come in order and once each; `expected` is the number that are staged.
    error WrongChunk(uint256 expected, uint256 actual);
    error ChunkLength(uint256 max, uint256 actual);
    /// @notice The last chunk was a short one, so nothing can follow.
    error StageIsClosed(uint256 size);
    error DatasetTooLong(uint256 max, uint256 actual);
    error WrongSeal(bytes32 expected, bytes32 actual);
    /// @notice A stage opens no dataset in the block in which it began.
    error StageTooYoung(uint256 begunAt);

    /// @notice Begin a stage of the caller's. The seal binds it to the owner's secret before that is public.
    function begin(bytes32 cDataset, bytes32 seal) external;

    /// @notice Append chunks: of 24,575 bytes, the last of 1 to 24,575; 524,288 bytes in all.
    /// @param first number of chunks staged before, so that no transaction takes effect twice
    function stage(bytes32 cDataset, uint256 first, bytes[] calldata chunks) external;

    /// @notice Forget the caller's stage, in order to begin it anew. The chunks' contracts stay.
    function abandon(bytes32 cDataset) external;

    /// @notice Hash and chunks of what an account has staged, if its seal is that of the secret.
    /// @return dataHash keccak-256 of the concatenated chunks
    function open(
        address uploader,
        bytes32 cDataset,
        bytes32 ownerSecret
    ) external view returns (bytes32 dataHash, address[] memory chunks);

    /// @notice How far a stage is, for whoever resumes it; zeros if there is none.
    /// @param round stages of this dataset that the account abandoned before
    /// @param chunkHashes per chunk keccak-256 of its contract's code: a zero byte, then the chunk
    function stageOf(
        address uploader,
        bytes32 cDataset
    ) external view returns (bytes32 seal, uint256 begunAt, uint256 round, uint256 size, bytes32[] memory chunkHashes);
}
