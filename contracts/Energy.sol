// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessControlEnumerable} from "@openzeppelin/contracts/access/extensions/AccessControlEnumerable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IEnergy} from "./interfaces/IEnergy.sol";

/// @title ENERGY, ERC-20 with permit
/// @dev The interface carries the rest of the documentation. Who holds a role can be listed by plain calls.
contract Energy is IEnergy, ERC20Permit, ERC20Burnable, AccessControlEnumerable {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @param deployer grants MINTER_ROLE, and renounces that right at the end of the deployment
    constructor(address deployer) ERC20("ChainBeasts Energy", "ENERGY") ERC20Permit("ChainBeasts Energy") {
        _grantRole(DEFAULT_ADMIN_ROLE, deployer);
    }

    // INVARIANT P69: what is in being, and what rewards are not claimed yet, is at most what was sold, and on a devnet granted:
    // the sale counts what it mints, the arena credits half at most of what was burned before.
    // INVARIANT P71: sale, arena and a devnet's faucet mint. Once nobody has DEFAULT_ADMIN_ROLE nobody else ever will.
    /// @inheritdoc IEnergy
    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
    }

    /// @inheritdoc IEnergy
    function burn(uint256 amount) public override(IEnergy, ERC20Burnable) {
        super.burn(amount);
    }

    /// @inheritdoc IEnergy
    function burnFrom(address account, uint256 amount) public override(IEnergy, ERC20Burnable) {
        super.burnFrom(account, amount);
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }
}
