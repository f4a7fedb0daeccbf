// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Publication} from "../libraries/Publications.sol";
import {StateHeader} from "../types/KernelTypes.sol";
import {IStepReferee} from "./IStepReferee.sol";

/// @title States in public
/// @notice Whoever has to show a state, or wants to, puts it on chain in full: the event is the publication, the contract
/// keeps its time. Courts, arenas and strangers read it. No owner, no money.
interface IStateArchive {
    /// @param state hash of the state, which is here in full
    event StatePublished(bytes32 indexed state, uint256 indexed beastId, StateHeader header, bytes weights);

    /// @notice Publish a state. Any plain account may, by a transaction of its own: NotPlainAccount. While the publication is
    /// younger than RENEWAL nothing happens, so that a second one neither fails nor moves the first one's time.
    /// @param weights 33,792 bytes as the kernel serialises them; malformed ones revert as the referee does
    /// @return state its hash
    function publish(StateHeader calldata header, bytes calldata weights) external returns (bytes32 state);

    /// @notice Time, block and cost of a state's publication; all zero if there is none.
    function publicationOf(bytes32 state) external view returns (Publication memory);

    /// @notice The referee whose loader decides what a state is.
    function referee() external view returns (IStepReferee);
}
