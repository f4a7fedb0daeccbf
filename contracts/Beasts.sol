// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {IBeasts} from "./interfaces/IBeasts.sol";
import {IEnergy} from "./interfaces/IEnergy.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";
import {BeastMetadata} from "./libraries/BeastMetadata.sol";
import {Birth, Commitments, HatchRequest} from "./types/BeastTypes.sol";

/// @title The beasts: hatch, commitments, trainers, metadata
/// @dev The interface carries the rest of the documentation.
contract Beasts is IBeasts, ERC721 {
    uint256 private constant MAX_DATASET_LENGTH = 65_536;
    /// @dev Block hashes that a chain keeps in its history contract (EIP-2935).
    uint256 private constant BLOCK_HASHES = 8_191;

    /// @inheritdoc IBeasts
    IEnergy public immutable energy;
    ISeasonRegistry public immutable seasons;

    /// @inheritdoc IBeasts
    uint256 public lastBeastId;

    mapping(uint256 beastId => HatchRequest) private _requests;
    mapping(uint256 beastId => Birth) private _births;
    mapping(uint256 beastId => Commitments) private _commitments;
    /// @dev 1 + the ownership nonce under which a trainer was authorised, 0: it was not
    mapping(uint256 beastId => mapping(address trainer => uint256)) private _trainers;
    /// @inheritdoc IBeasts
    mapping(uint256 beastId => uint256) public ownershipNonceOf;

    constructor(IEnergy energy_, ISeasonRegistry seasons_) ERC721("ChainBeasts", "BEAST") {
        energy = energy_;
        seasons = seasons_;
    }

    /// @inheritdoc IBeasts
    function requestHatch(
        bytes32 cDataset,
        bytes32 recordsRoot,
        uint32 datasetLength,
        bytes32 ownerSecretHash
    ) external returns (uint256 beastId) {
        Commitments memory c = Commitments(cDataset, recordsRoot, datasetLength, ownerSecretHash);
        beastId = ++lastBeastId;
        // INVARIANT P4: a beast has all four commitments or none, and they never change.
        if (cDataset != 0) {
            if (recordsRoot == 0 || ownerSecretHash == 0) revert IncompleteCommitments();
            if (datasetLength == 0 || datasetLength > MAX_DATASET_LENGTH) {
                revert DatasetLengthOutOfRange(datasetLength, MAX_DATASET_LENGTH);
            }
            _commitments[beastId] = c;
        } else if (recordsRoot != 0 || ownerSecretHash != 0 || datasetLength != 0) {
            revert IncompleteCommitments();
        }
        uint16 season = seasons.effectiveSeason();
        _requests[beastId] = HatchRequest(msg.sender, uint64(block.number), season);
        uint96 cost = seasons.hatchCost(season);
        emit HatchRequested(beastId, msg.sender, c, season, uint64(block.number), cost);
        // INVARIANT P74: every DNA that is thrown costs the season's hatch cost before it is known, whether or not it hatches.
        // The allowance is the caller's word on the price.
        energy.burnFrom(msg.sender, cost);
    }

    /// @inheritdoc IBeasts
    function hatch(uint256 beastId) external {
        HatchRequest memory r = _requests[beastId];
        if (r.requester == address(0)) revert NoHatchRequest(beastId);
        // INVARIANT P5: the DNA comes from a block hash that nobody knew when the commitments were made.
        // In the request's own block its hash is not known yet, and 8,191 later it is for the last time. A hash of zero is no
        // hash: the request has lapsed.
        if (block.number <= r.requestBlock) revert HatchTooEarly(beastId, r.requestBlock + 1);
        bytes32 seed = Blockhash.blockHash(r.requestBlock);
        if (seed == 0) revert HatchExpired(beastId, r.requestBlock + BLOCK_HASHES);
        // Books are closed before the receiver is called below: a second hatch finds no request. A receiver that
        // refuses the token reverts this, and harms its own request only.
        delete _requests[beastId];
        bytes32 dna = keccak256(abi.encode(seed, r.requester, beastId));
        _births[beastId] = Birth(dna, seed, r.season, r.requestBlock);
        emit Hatched(beastId, r.requester, dna, seed, r.season);
        _safeMint(r.requester, beastId);
    }

    /// @inheritdoc IBeasts
    function setTrainer(uint256 beastId, address trainer, bool allowed) external {
        if (_ownerOf(beastId) != msg.sender) revert NotBeastOwner(beastId, msg.sender);
        _trainers[beastId][trainer] = allowed ? ownershipNonceOf[beastId] + 1 : 0;
        emit TrainerSet(beastId, msg.sender, trainer, allowed);
    }

    /// @inheritdoc IBeasts
    function isTrainer(uint256 beastId, address account) external view returns (bool) {
        // The authorisation first: a trainer's submission then reads no more slots than an owner's.
        uint256 given = _trainers[beastId][account];
        // INVARIANT P54: an authorisation ends with the ownership that gave it, also where the beast comes back.
        if (given != 0 && given == ownershipNonceOf[beastId] + 1) return true;
        return account != address(0) && account == _ownerOf(beastId);
    }

    /// @dev Counts transfers; the mint is none.
    function _update(address to, uint256 beastId, address auth) internal override returns (address from) {
        from = super._update(to, beastId, auth);
        if (from != address(0)) ++ownershipNonceOf[beastId];
    }

    /// @inheritdoc IBeasts
    function birthOf(uint256 beastId) public view returns (Birth memory birth) {
        birth = _births[beastId];
        if (birth.dna == 0) revert UnknownBeast(beastId);
    }

    /// @inheritdoc IBeasts
    function commitmentsOf(uint256 beastId) external view returns (Commitments memory) {
        return _commitments[beastId];
    }

    /// @inheritdoc IBeasts
    function requestOf(uint256 beastId) external view returns (HatchRequest memory) {
        return _requests[beastId];
    }

    /// @notice JSON metadata with an SVG portrait, both drawn from the DNA and wholly on chain.
    function tokenURI(uint256 beastId) public view override returns (string memory) {
        _requireOwned(beastId);
        return BeastMetadata.tokenURI(beastId, _births[beastId].dna, _commitments[beastId]);
    }
}
