// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IArena} from "contracts/interfaces/IArena.sol";
import {IBeasts} from "contracts/interfaces/IBeasts.sol";
import {ICheckpointLedger} from "contracts/interfaces/ICheckpointLedger.sol";
import {IDisputeCourt} from "contracts/interfaces/IDisputeCourt.sol";
import {IDisputeVault} from "contracts/interfaces/IDisputeVault.sol";
import {IEnergy} from "contracts/interfaces/IEnergy.sol";
import {IEnergySale} from "contracts/interfaces/IEnergySale.sol";
import {IMatchReferee} from "contracts/interfaces/IMatchReferee.sol";
import {ISeasonRegistry} from "contracts/interfaces/ISeasonRegistry.sol";
import {IStateArchive} from "contracts/interfaces/IStateArchive.sol";
import {IStepReferee} from "contracts/interfaces/IStepReferee.sol";
import {StateHeader} from "contracts/types/KernelTypes.sol";
import {Economics, Limits, Season} from "contracts/types/SeasonTypes.sol";
import {VM} from "./Vm.sol";

/// @notice A beast's first window as the kernel trains it, and its state eight steps before the end.
struct TrueWindow {
    bytes32 epochSeed;
    bytes32[16] segments;
    StateHeader end;
    bytes32 weightsRoot;
    StateHeader late;
    bytes lateWeights;
}

/// @title The protocol, deployed from the project's own artifacts
/// @dev The file named by CHAINBEASTS_FORGE_WORLD (scripts/lib/forge_invariants.py) has creation code by contract name, the
/// season and its limits, the actors, and the first windows of the beasts that are trained.
abstract contract Protocol {
    uint256 internal constant BEASTS = 3;
    /// @dev The last beast alone has a private dataset; nobody opens its records.
    uint256 internal constant PRIVATE_BEAST = 3;
    uint32 internal constant PRIVATE_LENGTH = 64;
    uint256 internal constant WEIGHTS_BYTES = 33_792;
    /// @dev Gets the proceeds of the sale.
    address internal constant TREASURY = 0x0000000000000000000000000000000000007EA5;
    uint256 private constant FIRST_BLOCK = 1_000;
    uint256 private constant FIRST_SECOND = 1_800_000_000;

    bytes32 internal immutable _zeroWeightsRoot = _rootOfZeros();

    IEnergy public energy;
    ISeasonRegistry public seasons;
    IBeasts public beasts;
    IStepReferee public referee;
    IStateArchive public states;
    ICheckpointLedger public ledger;
    IDisputeVault public vault;
    IDisputeCourt public court;
    IMatchReferee public judge;
    IArena public arena;
    IEnergySale public sale;

    address[] internal _actors;
    Season internal _season;
    Economics internal _economics;
    uint256 internal _referenceFee;
    mapping(uint256 beastId => TrueWindow) internal _trueWindows;
    mapping(uint256 beastId => bytes32) internal _genesis;
    /// @dev Storage slots of the vault's `_accounts` and `_pools`, which have no views of their pots and coins.
    uint256 private _accountsSlot;
    uint256 private _poolsSlot;

    constructor() {
        VM.roll(FIRST_BLOCK);
        VM.warp(FIRST_SECOND);
        VM.fee(1 gwei);
        VM.txGasPrice(1 gwei);
        string memory world = VM.readFile(VM.envString("CHAINBEASTS_FORGE_WORLD"));
        _actors = VM.parseJsonAddressArray(world, ".actors");
        _accountsSlot = VM.parseJsonUint(world, ".slots._accounts");
        _poolsSlot = VM.parseJsonUint(world, ".slots._pools");
        _deploySeasons(world);
        _deployTraining(world);
        VM.roll(FIRST_BLOCK + 1);
        _hatchAll(world);
    }

    function _deploySeasons(string memory world) private {
        Limits memory limits = abi.decode(VM.parseJsonBytes(world, ".limits"), (Limits));
        Season memory season = abi.decode(VM.parseJsonBytes(world, ".season"), (Season));
        _referenceFee = limits.referenceFee;
        _season = season;
        _economics = season.economics;
        seasons = ISeasonRegistry(_create(world, "SeasonRegistry", abi.encode(address(this), limits)));
        seasons.addSeason(season);
    }

    function _deployTraining(string memory world) private {
        energy = IEnergy(_create(world, "Energy", abi.encode(address(this))));
        bytes32 minter = keccak256("MINTER_ROLE");
        IAccessControl(address(energy)).grantRole(minter, address(this));
        sale = IEnergySale(_create(world, "EnergySale", abi.encode(energy, seasons, TREASURY)));
        IAccessControl(address(energy)).grantRole(minter, address(sale));
        beasts = IBeasts(_create(world, "Beasts", abi.encode(energy, seasons)));
        referee = IStepReferee(_create(world, "StepReferee", ""));
        address stage = _create(world, "DatasetStage", "");
        states = IStateArchive(_create(world, "StateArchive", abi.encode(referee)));
        address records = _create(world, "RecordArchive", abi.encode(beasts, stage));
        ledger = ICheckpointLedger(_create(world, "CheckpointLedger", abi.encode(energy, beasts, seasons)));
        vault = IDisputeVault(_create(world, "DisputeVault", abi.encode(ledger, _referenceFee)));
        address windows = _create(world, "WindowReferee", abi.encode(ledger, beasts, seasons, records, referee));
        court = IDisputeCourt(_create(world, "DisputeCourt", abi.encode(vault, seasons, windows, states)));
        judge = IMatchReferee(_create(world, "MatchReferee", ""));
        bytes memory parts = abi.encode(energy, beasts, seasons, ledger, judge, states);
        arena = IArena(_create(world, "Arena", parts));
        IAccessControl(address(energy)).grantRole(minter, address(arena));
        ledger.bind(court, arena);
    }

    /// @dev DNA comes from block hashes, which are set to what the true windows were trained with.
    function _hatchAll(string memory world) private {
        TrueWindow[] memory windows = abi.decode(VM.parseJsonBytes(world, ".windows"), (TrueWindow[]));
        for (uint256 id = 1; id <= BEASTS; ++id) {
            energy.mint(_actors[id - 1], _economics.hatchCost);
            VM.prank(_actors[id - 1]);
            energy.approve(address(beasts), _economics.hatchCost);
            VM.prank(_actors[id - 1]);
            if (id == PRIVATE_BEAST) beasts.requestHatch("data", "root", PRIVATE_LENGTH, "secret");
            else beasts.requestHatch(0, 0, 0, 0);
        }
        uint256 requestBlock = FIRST_BLOCK + 1;
        VM.roll(requestBlock + 1);
        VM.setBlockhash(requestBlock, windows[0].epochSeed);
        for (uint256 id = 1; id <= BEASTS; ++id) {
            beasts.hatch(id);
            _genesis[id] = referee.genesisHash(id, beasts.birthOf(id).dna);
            if (id <= windows.length) _trueWindows[id] = windows[id - 1];
        }
    }

    function _create(
        string memory world,
        string memory name,
        bytes memory arguments
    ) private returns (address created) {
        bytes memory code = VM.parseJsonBytes(world, string.concat(".code.", name));
        bytes memory creation = bytes.concat(code, arguments);
        assembly ("memory-safe") {
            created := create(0, add(creation, 0x20), mload(creation))
        }
        require(created != address(0), string.concat(name, " was not deployed"));
    }

    /// @dev All rows of W1 have one hash, and all leaves of the other layers another.
    function _rootOfZeros() private pure returns (bytes32) {
        bytes memory row = _zeros(256);
        bytes32 group1 = _hashOf(keccak256(row), 16);
        bytes32 leaf = keccak256(_zeros(128));
        bytes32 group = _hashOf(leaf, 16);
        bytes memory groups = abi.encodePacked(group1, group1);
        for (uint256 i = 2; i < 14; ++i) groups = abi.encodePacked(groups, group);
        return keccak256(abi.encodePacked(groups, _hashOf(leaf, 8)));
    }

    function _hashOf(bytes32 leaf, uint256 times) private pure returns (bytes32) {
        bytes memory leaves;
        for (uint256 i = 0; i < times; ++i) leaves = abi.encodePacked(leaves, leaf);
        return keccak256(leaves);
    }

    /// @dev All weights 0.
    function _zeroWeights() internal pure returns (bytes memory weights) {
        return _zeros(WEIGHTS_BYTES);
    }

    /// @dev So many bytes of weights 0, each 0xC000.
    function _zeros(uint256 length) private pure returns (bytes memory weights) {
        weights = new bytes(length);
        bytes32 word = 0xC000C000C000C000C000C000C000C000C000C000C000C000C000C000C000C000;
        assembly ("memory-safe") {
            let end := add(add(weights, 0x20), mload(weights))
            for {
                let p := add(weights, 0x20)
            } lt(p, end) {
                p := add(p, 0x20)
            } {
                mstore(p, word)
            }
        }
    }

    /// @notice What slashed stakes have been set aside for debts of the trainer.
    function potOf(uint256 beastId, address trainer) public view returns (uint256) {
        bytes32 outer = keccak256(abi.encode(beastId, _accountsSlot));
        return uint256(VM.load(address(vault), keccak256(abi.encode(trainer, outer)))) >> 128;
    }

    /// @notice Native coin that the committed steps of a dispute share, claimed or not.
    function poolOf(uint256 disputeId) public view returns (uint256) {
        bytes32 slot = keccak256(abi.encode(disputeId, _poolsSlot));
        return uint128(uint256(VM.load(address(vault), bytes32(uint256(slot) + 1))));
    }
}
