// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IStateArchive} from "./interfaces/IStateArchive.sol";
import {IStepReferee} from "./interfaces/IStepReferee.sol";
import {OpeningGas} from "./libraries/OpeningGas.sol";
import {Publication, Publications} from "./libraries/Publications.sol";
import {StateHeader} from "./types/KernelTypes.sol";

/// @title States in public
/// @dev The interface carries the rest of the documentation.
contract StateArchive is IStateArchive {
    using Publications for Publication;

    /// @inheritdoc IStateArchive
    IStepReferee public immutable referee;

    mapping(bytes32 state => Publication) private _publications;

    constructor(IStepReferee referee_) {
        referee = referee_;
    }

    /// @inheritdoc IStateArchive
    function publish(StateHeader calldata header, bytes calldata weights) external returns (bytes32 state) {
        // INVARIANT P35: what stands in the archive is a state that the referee loads, so that a start nobody can
        // re-execute from is a missing opening.
        state = referee.stateHash(header, weights);
        if (!_publications[state].isDue()) return state;
        OpeningGas.requirePlain();
        _publications[state].renew(OpeningGas.ofState(weights), OpeningGas.price());
        emit StatePublished(state, header.beastId, header, weights);
    }

    /// @inheritdoc IStateArchive
    function publicationOf(bytes32 state) external view returns (Publication memory) {
        return _publications[state];
    }
}
