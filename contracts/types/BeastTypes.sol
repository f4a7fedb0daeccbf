// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What the owner bound the beast to before its DNA existed. All four are set, or all are zero.
/// @param cDataset keccak256 of the exact compressed bytes of the private dataset; zero means none
/// @param recordsRoot positional Merkle root over the dataset's words
/// @param datasetLength number of words (1 to 65,536)
/// @param ownerSecretHash keccak256 of the 32-byte S_owner
struct Commitments {
    bytes32 cDataset;
    bytes32 recordsRoot;
    uint32 datasetLength;
    bytes32 ownerSecretHash;
}

/// @notice What a hatch fixed for ever.
/// @param dna keccak256(abi.encode(blockhash(requestBlock), requester, beastId))
/// @param epochSeed blockhash(requestBlock), the seed of epoch 0
/// @param season season of epoch 0, the one in force in the request's block
/// @param requestBlock block of the request
struct Birth {
    bytes32 dna;
    bytes32 epochSeed;
    uint16 season;
    uint64 requestBlock;
}

/// @notice A hatch that was asked for and has not happened.
struct HatchRequest {
    address requester;
    uint64 requestBlock;
    uint16 season;
}
