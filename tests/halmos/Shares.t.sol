// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DisputeVault} from "contracts/DisputeVault.sol";
import {ICheckpointLedger} from "contracts/interfaces/ICheckpointLedger.sol";
import {Payees, StakeReward} from "contracts/types/DisputeTypes.sol";
import {vm} from "./Symbolic.sol";

/// @title The shares of a slashed stake at the shares of the seasons that are shipped, for every stake
/// @dev This contract is the vault's ledger. tests/forge/Shares.t.sol has any shares by chance, and a second conviction.
contract SharesProof {
    address private constant BURN = 0x000000000000000000000000000000000000dEaD;
    address private constant TRAINER = address(1);
    /// @dev filing_bps and proof_bps of both profiles in backend/chain/profiles.
    uint16 private constant FILING_BPS = 1_000;
    uint16 private constant PROOF_BPS = 3_000;

    DisputeVault private _vault;

    function setUp() external {
        _vault = new DisputeVault(ICheckpointLedger(address(this)), 1);
    }

    function check_takeStake_sharesAndBurnsAllOfIt(uint96 stake) external {
        vm.deal(address(this), stake);
        vm.deal(BURN, 0);
        _vault.takeStake{value: stake}(1, TRAINER, 7, Payees(3, address(2), address(3), 0, 0), FILING_BPS, PROOF_BPS);
        StakeReward memory held = _vault.rewardOf(1, TRAINER);
        assert(uint256(held.filing) + held.proof + BURN.balance == stake);
        assert(2 * BURN.balance >= stake);
        assert(address(_vault).balance == uint256(held.filing) + held.proof);
    }
}
