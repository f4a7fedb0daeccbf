// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RowOpening, Rules, StateHeader} from "../types/KernelTypes.sol";

/// @title The judge of matches
/// @notice Computes what a match's log must hold (docs/spec, rules §4). It owns nothing and stores nothing.
interface IMatchReferee {
    /// @notice The word is not valid, or its match is over: nobody acts on it.
    error NotActive(uint256 word);

    /// @notice The weights' tree has 232 leaves, and only opened ones are packed.
    error UnknownLeaves(uint256 leaves);

    /// @notice The opened rows are not exactly as long as the leaves that are said to be opened.
    error RowsLength(uint256 expected, uint256 actual);

    /// @notice There are not exactly as many hashes as leaves and groups that are not opened.
    error SiblingCount(uint256 expected, uint256 actual);

    /// @notice The forward pass reads a row of this leaf, which is not opened.
    error MissingRow(uint256 leaf);

    /// @notice keccak256 of the kernel's version string and its tables, as the StepReferee's.
    function kernelId() external view returns (bytes32);

    /// @notice The hash of a state, whose weights must be well-formed.
    /// @param weights 33,792 bytes, as IStepReferee takes them
    function stateHash(StateHeader calldata header, bytes calldata weights) external view returns (bytes32);

    /// @notice The first word of a match.
    function firstWord(
        bytes32 dnaA,
        bytes32 dnaB,
        uint64 battleSeed,
        Rules calldata rules
    ) external view returns (uint256 word);

    /// @notice Whether a word may be activated: it is valid, and the match is not over.
    function isActive(uint256 word, Rules calldata rules) external view returns (bool);

    /// @notice The word after `self` of an active word has acted by the logits of the opened state.
    /// @param expectedHash the hash that `header` and `opening` must open
    /// @param opening the rows of every unit that is active in this position at least; the bias input is active in all
    /// @return next the word after the activation
    function nextWord(
        bytes32 expectedHash,
        StateHeader calldata header,
        RowOpening calldata opening,
        uint256 word,
        uint64 battleSeed,
        Rules calldata rules
    ) external view returns (uint256 next);

    /// @notice Whether the match of a word is over and, if so, who won it: 0 is A, 1 is B, 2 nobody.
    /// @param word the word after the last activation
    /// @param dnaA whose hp at the start decides, with that of `dnaB`, what share of it is left
    function outcome(
        uint256 word,
        bytes32 dnaA,
        bytes32 dnaB,
        uint64 battleSeed,
        Rules calldata rules
    ) external view returns (bool over, uint8 result);
}
