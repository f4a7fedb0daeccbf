// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Beasts} from "contracts/Beasts.sol";
import {IEnergy} from "contracts/interfaces/IEnergy.sol";
import {ISeasonRegistry} from "contracts/interfaces/ISeasonRegistry.sol";

/// @title Beasts as the suite of ERC-721 deploys and mints them
/// @dev A hatch ends in `_safeMint`; the suite reaches it without one. Nothing burns a beast: `burn` is there for what the suite
/// does afterwards.
contract MockERC721 is Beasts {
    constructor(string memory, string memory) Beasts(IEnergy(address(0)), ISeasonRegistry(address(0))) {}

    function mint(address to, uint256 beastId) external {
        _mint(to, beastId);
    }

    function burn(uint256 beastId) external {
        _burn(beastId);
    }

    function safeMint(address to, uint256 beastId) external {
        _safeMint(to, beastId);
    }

    function safeMint(address to, uint256 beastId, bytes calldata data) external {
        _safeMint(to, beastId, data);
    }
}
