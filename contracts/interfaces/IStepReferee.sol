// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader, WindowContext} from "../types/KernelTypes.sol";

/// @title The judge of micro-steps
/// @notice Re-executes training steps exactly as the reference kernel does. It owns nothing and stores nothing: the same
/// arguments give the same answer for ever.
/// @dev A private context without records (recordsLength 0) says that the caller has opened them before: a witness is then
/// the bare word, and nobody is asked to believe it here.
/// `weights` are 33,792 bytes: 16,896 big-endian uint16 of `w + 0xC000`, rows of W1, W2, W3, W4 one after the other.
/// `witnesses` is empty for curriculum and self-play windows. For battle and private windows it holds, step after step,
/// the 32-byte word and then exactly ceil(log2(recordsLength)) siblings of 32 bytes, from the leaf up.
interface IStepReferee {
    /// @notice The opened header and weights do not hash to the state they should open.
    error StateMismatch(bytes32 expected, bytes32 actual);

    /// @notice The weights are not 33,792 bytes long.
    error MalformedLength(uint256 expected, uint256 actual);

    /// @notice A weight of this 32-byte word has a clear guard bit, so it is outside -16384 to 16383.
    error MalformedGuard(uint256 wordIndex);

    /// @notice The witnesses are not exactly as long as the steps need.
    error WitnessLength(uint256 expected, uint256 actual);

    /// @notice The witness of this step (counted from 0 within the call) does not open record `index`.
    error WrongWitness(uint256 step, uint256 index);

    /// @notice A field of the window's context, or the number of steps, is outside its range.
    /// @param field the field's name, ASCII
    error BadContext(bytes32 field, uint256 value);

    /// @notice keccak256 of the kernel's version string and its tables: which rules this referee judges by.
    function kernelId() external view returns (bytes32);

    /// @notice The hash of a beast's state at hatch.
    function genesisHash(uint256 beastId, bytes32 dna) external view returns (bytes32);

    /// @notice The hash of a state whose weights have the root `weightsRoot`.
    function hashState(StateHeader calldata header, bytes32 weightsRoot) external view returns (bytes32);

    /// @notice The hash of a state, whose weights must be well-formed.
    function stateHash(StateHeader calldata header, bytes calldata weights) external view returns (bytes32);

    /// @notice Runs steps from a state inside a window.
    /// @param ctx the window's context
    /// @param expectedHash the hash that `header` and `weights` must open
    /// @param header the state's header
    /// @param weights the state's weights
    /// @param steps how many micro-steps to run, 0 to 128
    /// @param witnesses the records of those steps
    /// @return the hash of the state after the last step
    function run(
        WindowContext calldata ctx,
        bytes32 expectedHash,
        StateHeader calldata header,
        bytes calldata weights,
        uint256 steps,
        bytes calldata witnesses
    ) external view returns (bytes32);

    /// @notice Opens the parent checkpoint's state, moves it into the child's window and runs steps there.
    /// @dev Moving sets `activeMask`, `windowLoss = 0`, `arena = 0` and `parent = expectedParent`.
    /// @param expectedParent the parent checkpoint's hash, which `parentHeader` and `weights` must open
    function runFromParent(
        WindowContext calldata ctx,
        bytes32 expectedParent,
        StateHeader calldata parentHeader,
        bytes calldata weights,
        uint8 activeMask,
        uint256 steps,
        bytes calldata witnesses
    ) external view returns (bytes32);

    /// @notice Generates a beast's state at hatch, moves it into its first window and runs steps there.
    function runFromGenesis(
        WindowContext calldata ctx,
        uint256 beastId,
        uint8 activeMask,
        uint256 steps,
        bytes calldata witnesses
    ) external view returns (bytes32);
}
