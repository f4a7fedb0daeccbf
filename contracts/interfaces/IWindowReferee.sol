// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoint} from "../types/CheckpointTypes.sol";
import {StateHeader, WindowContext} from "../types/KernelTypes.sol";
import {ICheckpointLedger} from "./ICheckpointLedger.sol";
import {IRecordArchive} from "./IRecordArchive.sol";
import {IStepReferee} from "./IStepReferee.sol";

/// @title The judge of windows
/// @notice Knows from the chain what a window is judged by, and re-executes steps of it. No owner, no storage.
interface IWindowReferee {
    /// @notice A private window can be re-executed once its records are open, or its whole dataset is revealed.
    error RecordsNotOpened(uint256 beastId, uint32 index);
    /// @notice The segment digests are not those of the opened records.
    error WrongSegmentDigests(bytes32 expected, bytes32 actual);
    /// @notice The words of this segment are not the opened ones.
    error WrongWords(uint8 segment);
    error WitnessLength(uint256 expected, uint256 actual);
    /// @notice The witnesses of a PRIVATE window begin with 0 or 1.
    error UnknownWitnessForm(uint8 form);

    /// @notice Run the first `steps` of a window, from the parent's state (or the state at hatch, for index 0).
    /// @param header the parent checkpoint's; ignored for index 0, as are the weights
    /// @param witnesses see `run`
    function runFromStart(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        uint256 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) external view returns (bytes32);

    /// @notice Run `steps` from the state behind `from`, `done` steps into the window.
    /// @param witnesses CURRICULUM and SELF_PLAY: none. BATTLE: per step the word and its Merkle siblings. PRIVATE: a byte
    /// 0 and the same, once the secret is public; or a byte 1, the 16 segment digests, and all eight words of every segment
    /// that the steps touch, once the window's records are opened.
    function run(
        uint256 beastId,
        Checkpoint calldata checkpoint,
        bytes32 from,
        uint256 done,
        uint256 steps,
        StateHeader calldata header,
        bytes calldata weights,
        bytes calldata witnesses
    ) external view returns (bytes32);

    /// @notice What a window is judged by. For a PRIVATE window whose secret is not public the fold is 0.
    function contextOf(uint256 beastId, Checkpoint calldata checkpoint) external view returns (WindowContext memory);

    function ledger() external view returns (ICheckpointLedger);

    function records() external view returns (IRecordArchive);

    function referee() external view returns (IStepReferee);
}
