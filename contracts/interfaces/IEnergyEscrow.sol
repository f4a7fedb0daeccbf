// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Balances of ENERGY inside a contract of the game
/// @notice ENERGY comes in by `deposit` and leaves by `withdraw`; everything else moves balances inside, so that no step
/// of the game calls a token, except to burn. Each contract that has an escrow has one of its own.
interface IEnergyEscrow {
    event Deposited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    error InsufficientEscrow(address account, uint256 balance, uint256 needed);

    /// @notice Move ENERGY into the caller's escrow (needs an allowance).
    function deposit(uint256 amount) external;

    /// @notice The same with an ERC-2612 permit; a permit already used by somebody else is no obstacle.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Pay `amount` of the caller's escrow out to `to`.
    function withdraw(uint256 amount, address to) external;

    function escrowOf(address account) external view returns (uint256);
}
