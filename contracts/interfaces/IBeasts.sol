// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Birth, Commitments, HatchRequest} from "../types/BeastTypes.sol";
import {IEnergy} from "./IEnergy.sol";

/// @title The beasts (ERC-721)
/// @notice A beast is hatched in two transactions, so that its DNA is unknown when its commitments are made.
interface IBeasts is IERC721 {
    /// @param cost ENERGY that the request burned
    event HatchRequested(
        uint256 indexed beastId,
        address indexed requester,
        Commitments commitments,
        uint16 season,
        uint64 requestBlock,
        uint96 cost
    );
    event Hatched(uint256 indexed beastId, address indexed owner, bytes32 dna, bytes32 epochSeed, uint16 season);
    event TrainerSet(uint256 indexed beastId, address indexed owner, address indexed trainer, bool allowed);

    /// @notice Commitments are all set or all zero, with 1 to 65,536 records.
    error IncompleteCommitments();
    error DatasetLengthOutOfRange(uint256 length, uint256 max);
    /// @notice Nobody asked for this hatch, or the beast has hatched already.
    error NoHatchRequest(uint256 beastId);
    error HatchTooEarly(uint256 beastId, uint256 firstBlock);
    /// @notice The request's block hash is no longer available: request again.
    error HatchExpired(uint256 beastId, uint256 lastBlock);
    error UnknownBeast(uint256 beastId);
    error NotBeastOwner(uint256 beastId, address caller);

    /// @notice First step: commit, and wait one block. Burns the season's hatch cost of the caller's ENERGY, for which this
    /// contract needs an allowance.
    /// @param cDataset keccak256 of the compressed private dataset; zero (with the three others) for none
    /// @param recordsRoot positional Merkle root over its words
    /// @param datasetLength number of its words
    /// @param ownerSecretHash keccak256(abi.encode(bytes32 S_owner))
    /// @return beastId the id reserved for the beast
    function requestHatch(
        bytes32 cDataset,
        bytes32 recordsRoot,
        uint32 datasetLength,
        bytes32 ownerSecretHash
    ) external returns (uint256 beastId);

    /// @notice Second step, 1 to 8,191 blocks later. Anyone may call it; the requester gets the beast.
    function hatch(uint256 beastId) external;

    /// @notice Allow or forbid `trainer` to submit for the beast. Only its owner; a transfer ends the authorisation.
    function setTrainer(uint256 beastId, address trainer, bool allowed) external;

    /// @notice Whether `account` owns the beast or is a trainer its present owner authorised.
    function isTrainer(uint256 beastId, address account) external view returns (bool);

    /// @notice Transfers so far. What an owner agreed to is bound to it, so that it ends with the ownership.
    function ownershipNonceOf(uint256 beastId) external view returns (uint256);

    /// @notice What the hatch fixed. Reverts with UnknownBeast before it.
    function birthOf(uint256 beastId) external view returns (Birth memory);

    function commitmentsOf(uint256 beastId) external view returns (Commitments memory);

    /// @notice The pending request, all zero if there is none.
    function requestOf(uint256 beastId) external view returns (HatchRequest memory);

    /// @notice Ids handed out so far; the last request has this id.
    function lastBeastId() external view returns (uint256);

    /// @notice What a hatch is paid in.
    function energy() external view returns (IEnergy);
}
