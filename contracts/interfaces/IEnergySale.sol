// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IEnergy} from "./IEnergy.sol";
import {ISeasonRegistry} from "./ISeasonRegistry.sol";

/// @title The sale of ENERGY for native coin
/// @notice Sells what it mints, at the price of the season in force, to everybody and without limit; the proceeds go to the
/// treasury in the same transaction. Holds nothing, belongs to nobody. Closed in a season whose price is 0.
interface IEnergySale {
    /// @param paid wei of native coin
    /// @param out wei of ENERGY
    event EnergyBought(address indexed buyer, address indexed to, uint256 paid, uint256 out, uint16 season);

    /// @notice The season in force sells none.
    error SaleClosed(uint16 season);
    error ZeroReceiver();
    /// @notice What was sent does not buy a wei of ENERGY.
    error NothingBought();
    /// @notice The price is higher than the buyer agreed to.
    error TooLittleEnergy(uint256 minOut, uint256 out);
    error ProceedsRefused(address treasury, uint256 amount);

    /// @notice Buy ENERGY for all the coin that is sent.
    /// @param to gets the ENERGY
    /// @param minOut least that the buyer accepts, so that no new season changes the bargain
    /// @return out value · 10^18 / price(), rounded down
    function buy(address to, uint256 minOut) external payable returns (uint256 out);

    /// @notice Wei of native coin for 10^18 wei of ENERGY in this block; 0: closed.
    function price() external view returns (uint256);

    /// @notice What `paid` wei of native coin buy in this block; 0 where the sale is closed.
    function quote(uint256 paid) external view returns (uint256 out);

    /// @notice All the ENERGY that was ever sold.
    function sold() external view returns (uint256);

    /// @notice Where the proceeds go.
    function treasury() external view returns (address);

    function energy() external view returns (IEnergy);

    function seasons() external view returns (ISeasonRegistry);
}
