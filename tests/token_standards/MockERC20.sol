// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Energy} from "contracts/Energy.sol";

/// @title ENERGY as the suite of ERC-20 deploys and mints it
/// @dev The suite has its own names in the constructor and mints from any account: nothing else differs from `Energy`.
contract MockERC20 is Energy {
    constructor(string memory, string memory, uint8) Energy(msg.sender) {}

    function burn(address account, uint256 amount) external {
        _burn(account, amount);
    }

    function hasRole(bytes32, address) public pure override(AccessControl, IAccessControl) returns (bool) {
        return true;
    }
}
