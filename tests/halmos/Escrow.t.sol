// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EnergyEscrow} from "contracts/EnergyEscrow.sol";
import {IEnergy} from "contracts/interfaces/IEnergy.sol";
import {vm} from "./Symbolic.sol";

/// @title The two movements that all of the ledger's and the arena's ENERGY is moved by
contract EscrowProof is EnergyEscrow {
    constructor() EnergyEscrow(IEnergy(address(0))) {}

    function credit(address account, uint256 amount) external {
        _credit(account, amount);
    }

    function debit(address account, uint256 amount) external {
        _debit(account, amount);
    }

    function check_debit_takesExactlyOrReverts(
        address account,
        address other,
        uint256 balance,
        uint256 others,
        uint256 amount
    ) external {
        vm.assume(account != other);
        _credit(account, balance);
        _credit(other, others);
        try this.debit(account, amount) {
            assert(amount <= balance);
            assert(this.escrowOf(account) == balance - amount);
        } catch {
            assert(amount > balance);
            assert(this.escrowOf(account) == balance);
        }
        assert(this.escrowOf(other) == others);
    }

    /// @dev As `moveEscrow` does it. Nothing comes into being and nothing is lost, also where both are one account.
    function check_move_conserves(address from, address to, uint256 a, uint256 b, uint256 amount) external {
        vm.assume(a <= type(uint128).max && b <= type(uint128).max);
        _credit(from, a);
        if (from != to) _credit(to, b);
        uint256 total = from == to ? a : a + b;
        vm.assume(amount <= a);
        _debit(from, amount);
        _credit(to, amount);
        assert(this.escrowOf(from) + (from == to ? 0 : this.escrowOf(to)) == total);
    }

    function check_credit_neverWraps(address account, uint256 a, uint256 b) external {
        _credit(account, a);
        try this.credit(account, b) {
            assert(this.escrowOf(account) >= a && this.escrowOf(account) >= b);
        } catch {
            assert(b > type(uint256).max - a);
        }
    }
}
