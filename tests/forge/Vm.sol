// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice An event as `getRecordedLogs` gives it.
struct Log {
    bytes32[] topics;
    bytes data;
    address emitter;
}

/// @title What the harness needs of Forge's cheatcodes
interface Vm {
    function warp(uint256 timestamp) external;

    function roll(uint256 number) external;

    function fee(uint256 basefee) external;

    function txGasPrice(uint256 price) external;

    function deal(address account, uint256 balance) external;

    function prank(address sender) external;

    function prank(address sender, address origin) external;

    function setBlockhash(uint256 number, bytes32 hash) external;

    function load(address account, bytes32 slot) external view returns (bytes32);

    function getBlockTimestamp() external view returns (uint256);

    function getBlockNumber() external view returns (uint256);

    function recordLogs() external;

    function getRecordedLogs() external returns (Log[] memory);

    function envString(string calldata name) external view returns (string memory);

    function readFile(string calldata path) external view returns (string memory);

    function writeLine(string calldata path, string calldata line) external;

    function toString(uint256 value) external pure returns (string memory);

    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);

    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);

    function parseJsonAddressArray(string calldata json, string calldata key) external pure returns (address[] memory);
}

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
