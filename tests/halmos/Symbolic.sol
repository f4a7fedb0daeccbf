// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The cheatcodes that proofs need
interface Vm {
    function assume(bool condition) external pure;

    function deal(address account, uint256 balance) external;
}

/// @dev Where Forge and halmos answer them.
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
