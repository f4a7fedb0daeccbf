// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title ENERGY, what training costs
/// @notice ERC-20 with permit, 18 decimals. Minted by holders of MINTER_ROLE: sale and arena, and the faucet of a devnet.
/// Once the deployer has renounced the role's administration nobody can add another. Burned by its holders.
interface IEnergy is IERC20, IERC20Permit {
    /// @notice Create `amount` for `to`. Only MINTER_ROLE.
    function mint(address to, uint256 amount) external;

    /// @notice Destroy `amount` of the caller's balance.
    function burn(uint256 amount) external;

    /// @notice Destroy `amount` of an account that gave the caller an allowance for it.
    function burnFrom(address account, uint256 amount) external;
}
