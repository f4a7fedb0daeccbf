// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title For tests: an account that does several things in one transaction, and refuses or answers coin
contract HostileAccount {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    /// @notice What the last call made on receiving coin came to: its revert data, empty if it succeeded.
    bytes public refusal;
    bool public refuses;
    Call private _answer;

    /// @notice Make all calls in this transaction; the first failure ends it.
    function execute(Call[] calldata calls) external payable {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory reason) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (done) continue;
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
    }

    /// @notice Refuse coin from now on, or take it.
    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    /// @notice Call back once, when coin comes in.
    function setAnswer(Call calldata answer) external {
        _answer = answer;
    }

    /// @notice Take coin without answering it.
    function fund() external payable {}

    receive() external payable {
        require(!refuses);
        Call memory answer = _answer;
        if (answer.to == address(0)) return;
        delete _answer;
        (bool done, bytes memory reason) = answer.to.call{value: answer.value}(answer.data);
        refusal = done ? bytes("") : reason;
    }
}
