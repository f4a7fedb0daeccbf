// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader, WindowContext} from "../types/KernelTypes.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {ContextCheck} from "./ContextCheck.sol";
import {Genesis} from "./Genesis.sol";
import {KernelMemory} from "./KernelMemory.sol";
import {StateHash} from "./StateHash.sol";
import {Window} from "./Window.sol";

/// @title The judge of micro-steps
/// @dev Anybody may call it with anything, and a court believes the answer. So all that the kernel trusts is checked
/// here, in this order, before a step runs:
///
///   widths of integers, e.g. activeMask below 2^8    ABI decoding, which reverts on dirty bits
///   the map of memory is free                        KernelMemory.reserve
///   length and guard bits of the weights             StateHash.load
///   header and weights are those committed to        _open
///   ranges of the context, number of steps           ContextCheck
///   length of the witnesses                          Window.run
///
/// and in every step: that a record is under its root (Samples), and that a word is valid (Window), which one from a
/// record or from a header's arena need not be. What is left to the callers: that context and header belong to the
/// window in question (the ledger's records), and that `activeMask` only grows.
contract StepReferee is IStepReferee {
    bytes32 private immutable _KERNEL_ID = StateHash.kernelId();

    /// @inheritdoc IStepReferee
    function kernelId() external view returns (bytes32) {
        return _KERNEL_ID;
    }

    /// @inheritdoc IStepReferee
    function genesisHash(uint256 beastId, bytes32 dna) external view returns (bytes32) {
        KernelMemory.reserve();
        return StateHash.current(_KERNEL_ID, Genesis.state(beastId, dna));
    }

    /// @inheritdoc IStepReferee
    function hashState(StateHeader calldata header, bytes32 weightsRoot) external view returns (bytes32) {
        return StateHash.hash(_KERNEL_ID, header, weightsRoot);
    }

    /// @inheritdoc IStepReferee
    function stateHash(StateHeader calldata header, bytes calldata weights) external view returns (bytes32) {
        KernelMemory.reserve();
        StateHash.load(weights);
        return StateHash.current(_KERNEL_ID, header);
    }

    /// @inheritdoc IStepReferee
    function run(
        WindowContext memory ctx,
        bytes32 expectedHash,
        StateHeader calldata header,
        bytes calldata weights,
        uint256 steps,
        bytes calldata witnesses
    ) external view returns (bytes32) {
        StateHeader memory state = _open(expectedHash, header, weights);
        return _run(ctx, state, steps, witnesses);
    }

    /// @inheritdoc IStepReferee
    function runFromParent(
        WindowContext memory ctx,
        bytes32 expectedParent,
        StateHeader calldata parentHeader,
        bytes calldata weights,
        uint8 activeMask,
        uint256 steps,
        bytes calldata witnesses
    ) external view returns (bytes32) {
        StateHeader memory state = _open(expectedParent, parentHeader, weights);
        Window.open(state, expectedParent, activeMask);
        return _run(ctx, state, steps, witnesses);
    }

    /// @inheritdoc IStepReferee
    function runFromGenesis(
        WindowContext memory ctx,
        uint256 beastId,
        uint8 activeMask,
        uint256 steps,
        bytes calldata witnesses
    ) external view returns (bytes32) {
        KernelMemory.reserve();
        StateHeader memory state = Genesis.state(beastId, ctx.dna);
        Window.open(state, StateHash.current(_KERNEL_ID, state), activeMask);
        return _run(ctx, state, steps, witnesses);
    }

    /// @dev Brings a state into memory and checks that it is well-formed and the one expected. `reserve` comes first:
    /// the header is allocated after it, behind the map.
    function _open(
        bytes32 expected,
        StateHeader calldata header,
        bytes calldata weights
    ) private view returns (StateHeader memory state) {
        KernelMemory.reserve();
        StateHash.load(weights);
        state = header;
        bytes32 actual = StateHash.current(_KERNEL_ID, state);
        // INVARIANT: steps run from the state that was committed to, and from no other.
        if (actual != expected) revert StateMismatch(expected, actual);
    }

    function _run(
        WindowContext memory ctx,
        StateHeader memory state,
        uint256 steps,
        bytes calldata witnesses
    ) private view returns (bytes32) {
        ContextCheck.check(ctx, steps);
        KernelMemory.loadTables();
        Window.run(ctx, state, steps, witnesses);
        return StateHash.current(_KERNEL_ID, state);
    }
}
