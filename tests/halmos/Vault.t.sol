// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DisputeVault} from "contracts/DisputeVault.sol";
import {ICheckpointLedger} from "contracts/interfaces/ICheckpointLedger.sol";
import {Payees, StakeReward} from "contracts/types/DisputeTypes.sol";
import {vm} from "./Symbolic.sol";

/// @title What becomes of a slashed stake: at least half burns, and no wei is lost (INVARIANT P52)
/// @dev The proof stands in for the ledger, which alone may hand stakes over.
contract VaultProof {
    address private constant BURN = 0x000000000000000000000000000000000000dEaD;

    DisputeVault private immutable _vault;

    constructor() {
        _vault = new DisputeVault(ICheckpointLedger(address(this)), 0);
    }

    function check_takeStake_asOnMainnet(uint96 stake, address filer, address prover, uint8 steps) external {
        _check(stake, filer, prover, steps, 1_000, 3_000);
    }

    function check_takeStake_whereAllGoesToTheProver(
        uint96 stake,
        address filer,
        address prover,
        uint8 steps
    ) external {
        _check(stake, filer, prover, steps, 0, 5_000);
    }

    function check_takeStake_whereAllGoesToTheFiler(uint96 stake, address filer, address prover, uint8 steps) external {
        _check(stake, filer, prover, steps, 5_000, 0);
    }

    function _check(
        uint96 stake,
        address filer,
        address prover,
        uint8 steps,
        uint16 filingBps,
        uint16 proofBps
    ) private {
        vm.assume(steps <= 128);
        vm.deal(address(this), stake);
        uint256 burnedBefore = BURN.balance;
        Payees memory payees = Payees(1, filer, prover, steps, 400_000);
        _vault.takeStake{value: stake}(7, address(0xA11CE), 3, payees, filingBps, proofBps);
        uint256 burned = BURN.balance - burnedBefore;
        StakeReward memory held = _vault.rewardOf(7, address(0xA11CE));
        // Rounding falls to the burn, so it is half of an odd stake at least, too.
        assert(2 * burned >= stake);
        assert(burned + held.filing + held.proof == stake);
        assert(address(_vault).balance == uint256(held.filing) + held.proof);
        if (filer == address(0)) assert(held.filing == 0);
        if (prover == address(0) && steps == 0) assert(held.proof == 0);
    }
}
