// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMatchReferee} from "../interfaces/IMatchReferee.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {RowOpening, Rules, StateHeader} from "../types/KernelTypes.sol";
import {Combat} from "./Combat.sol";
import {ContextCheck} from "./ContextCheck.sol";
import {Features} from "./Features.sol";
import {Forward} from "./Forward.sol";
import {KernelMemory} from "./KernelMemory.sol";
import {Matches} from "./Matches.sol";
import {OpenedRows} from "./OpenedRows.sol";
import {StateHash} from "./StateHash.sol";

/// @title The judge of matches
/// @dev Anybody may call it with anything. Its doors are those of StepReferee: rules in range (ContextCheck), weights
/// well-formed (StateHash.load, OpenedRows) and the ones expected, and a word that is valid before inputs are made of it. It never
/// changes a weight. Functions that compute with words alone need no memory reserved.
contract MatchReferee is IMatchReferee {
    bytes32 private immutable _KERNEL_ID = StateHash.kernelId();

    /// @inheritdoc IMatchReferee
    function kernelId() external view returns (bytes32) {
        return _KERNEL_ID;
    }

    /// @inheritdoc IMatchReferee
    function stateHash(StateHeader calldata header, bytes calldata weights) external view returns (bytes32) {
        KernelMemory.reserve();
        StateHash.load(weights);
        return StateHash.current(_KERNEL_ID, header);
    }

    /// @inheritdoc IMatchReferee
    function firstWord(
        bytes32 dnaA,
        bytes32 dnaB,
        uint64 battleSeed,
        Rules calldata rules
    ) external pure returns (uint256 word) {
        KernelMemory.reserve();
        KernelMemory.loadTables();
        return Matches.firstWord(dnaA, dnaB, battleSeed, _checked(rules));
    }

    /// @inheritdoc IMatchReferee
    function isActive(uint256 word, Rules calldata rules) external pure returns (bool) {
        return Matches.isActive(word, _checked(rules));
    }

    /// @inheritdoc IMatchReferee
    function nextWord(
        bytes32 expectedHash,
        StateHeader calldata header,
        RowOpening calldata opening,
        uint256 word,
        uint64 battleSeed,
        Rules calldata rules
    ) external view returns (uint256 next) {
        KernelMemory.reserve();
        Rules memory season = _checked(rules);
        if (!Matches.isActive(word, season)) revert NotActive(word);
        // INVARIANT: a beast acts by the state that it was entered with, and by no other.
        bytes32 actual = StateHash.hash(_KERNEL_ID, header, OpenedRows.load(opening));
        if (actual != expectedHash) revert IStepReferee.StateMismatch(expectedHash, actual);
        Features.list(word);
        Forward.run(header.activeMask);
        OpenedRows.requireAllRead();
        (uint256 direction, uint256 power, bool guard) = Combat.decode(word);
        return Combat.activate(word, direction, power, guard, season, battleSeed);
    }

    /// @inheritdoc IMatchReferee
    function outcome(
        uint256 word,
        bytes32 dnaA,
        bytes32 dnaB,
        uint64 battleSeed,
        Rules calldata rules
    ) external pure returns (bool over, uint8 result) {
        (bool ended, uint256 winner) = Matches.outcome(word, dnaA, dnaB, battleSeed, _checked(rules));
        return (ended, uint8(winner));
    }

    function _checked(Rules calldata rules) private pure returns (Rules memory checkedRules) {
        checkedRules = rules;
        ContextCheck.checkRules(checkedRules);
    }
}
