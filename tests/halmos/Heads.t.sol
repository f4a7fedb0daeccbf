// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Heads, PackedHead} from "contracts/libraries/Heads.sol";
import {Head} from "contracts/types/CheckpointTypes.sol";

/// @title For every head: what is written is what is read, whatever stood there before
contract HeadsProof {
    using Heads for PackedHead;

    PackedHead private _head;

    function check_storeThenLoad(Head memory h, uint256 a, uint256 b) external {
        (_head.a, _head.b) = (a, b);
        _head.store(h);
        assert(keccak256(abi.encode(_head.load())) == keccak256(abi.encode(h)));
        assert(_head.headCount() == h.headCount && _head.finalCount() == h.finalCount);
    }

    function check_setFinalCount_changesNothingElse(Head memory h, uint32 count) external {
        _head.store(h);
        _head.setFinalCount(count);
        h.finalCount = count;
        assert(keccak256(abi.encode(_head.load())) == keccak256(abi.encode(h)));
    }
}
