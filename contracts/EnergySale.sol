// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IEnergy} from "./interfaces/IEnergy.sol";
import {IEnergySale} from "./interfaces/IEnergySale.sol";
import {ISeasonRegistry} from "./interfaces/ISeasonRegistry.sol";

/// @title The sale of ENERGY for native coin
/// @dev The interface carries the rest of the documentation.
contract EnergySale is IEnergySale {
    uint256 private constant ENERGY_UNIT = 1 ether;

    /// @inheritdoc IEnergySale
    IEnergy public immutable energy;
    /// @inheritdoc IEnergySale
    ISeasonRegistry public immutable seasons;
    /// @inheritdoc IEnergySale
    address public immutable treasury;

    /// @inheritdoc IEnergySale
    uint256 public sold;

    constructor(IEnergy energy_, ISeasonRegistry seasons_, address treasury_) {
        energy = energy_;
        seasons = seasons_;
        treasury = treasury_;
    }

    /// @inheritdoc IEnergySale
    function buy(address to, uint256 minOut) external payable returns (uint256 out) {
        if (to == address(0)) revert ZeroReceiver();
        uint16 season = seasons.effectiveSeason();
        uint256 weiPerUnit = seasons.energyPrice(season);
        if (weiPerUnit == 0) revert SaleClosed(season);
        // INVARIANT P70: nothing is sold below the season's price (rounding is the buyer's loss), and to nobody for more than
        // it agreed to.
        out = (msg.value * ENERGY_UNIT) / weiPerUnit;
        if (out == 0) revert NothingBought();
        if (out < minOut) revert TooLittleEnergy(minOut, out);
        sold += out;
        emit EnergyBought(msg.sender, to, msg.value, out, season);
        energy.mint(to, out);
        // The treasury comes last: whatever it calls finds the books closed.
        (bool taken, ) = treasury.call{value: msg.value}("");
        if (!taken) revert ProceedsRefused(treasury, msg.value);
    }

    /// @inheritdoc IEnergySale
    function price() public view returns (uint256) {
        return seasons.energyPrice(seasons.effectiveSeason());
    }

    /// @inheritdoc IEnergySale
    function quote(uint256 paid) external view returns (uint256) {
        uint256 weiPerUnit = price();
        return weiPerUnit == 0 ? 0 : (paid * ENERGY_UNIT) / weiPerUnit;
    }
}
