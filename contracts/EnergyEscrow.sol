// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IEnergy} from "./interfaces/IEnergy.sol";
import {IEnergyEscrow} from "./interfaces/IEnergyEscrow.sol";

/// @title The escrow balances of a contract: its only door for ENERGY in and out
/// @dev The interface carries the rest of the documentation. ENERGY takes no fee on transfers, so what is credited is
/// what has arrived. Tokens sent here without `deposit` belong to nobody and change no balance.
abstract contract EnergyEscrow is IEnergyEscrow {
    using SafeERC20 for IEnergy;

    IEnergy public immutable energy;

    mapping(address account => uint256) private _escrow;

    constructor(IEnergy energy_) {
        energy = energy_;
    }

    /// @inheritdoc IEnergyEscrow
    function deposit(uint256 amount) public {
        // INVARIANT P16: escrow is credited only after the tokens have arrived.
        energy.safeTransferFrom(msg.sender, address(this), amount);
        _credit(msg.sender, amount);
        emit Deposited(msg.sender, amount);
    }

    /// @inheritdoc IEnergyEscrow
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        // A permit that somebody else sent first has already done its work: go on and let the transfer decide.
        try energy.permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        deposit(amount);
    }

    /// @inheritdoc IEnergyEscrow
    function withdraw(uint256 amount, address to) external {
        // INVARIANT P17: escrow is debited before the tokens leave.
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);
        energy.safeTransfer(to, amount);
    }

    /// @inheritdoc IEnergyEscrow
    function escrowOf(address account) external view returns (uint256) {
        return _escrow[account];
    }

    function _credit(address account, uint256 amount) internal {
        _escrow[account] += amount;
    }

    function _debit(address account, uint256 amount) internal {
        uint256 balance = _escrow[account];
        if (balance < amount) revert InsufficientEscrow(account, balance, amount);
        unchecked {
            _escrow[account] = balance - amount;
        }
    }
}
