// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BondEnd, OpeningBond, Payees, StakeReward} from "../types/DisputeTypes.sol";
import {ICheckpointLedger} from "./ICheckpointLedger.sol";

/// @title The native coin of disputes
/// @notice Holds opening bonds, pays trainers for openings, keeps rewards out of slashed stakes until they are due. Every
/// payout is credited and pulled. Only ledger and court move anything, by the rules of the protocol. No owner.
interface IDisputeVault {
    event OpeningBondLocked(
        uint256 indexed disputeId,
        address indexed filer,
        address indexed trainer,
        uint256 base,
        uint256 surplus
    );
    /// @param paid credited to the trainer now, as a debt against its stake
    /// @param waiting credited when the dispute ends without a conviction
    event OpeningPaid(uint256 indexed disputeId, address indexed trainer, uint256 paid, uint256 waiting);
    /// @param returned to the filer, what a slashed stake repaid included
    /// @param kept by the trainer for its openings
    event OpeningBondReleased(
        uint256 indexed disputeId,
        address indexed filer,
        BondEnd end,
        uint256 returned,
        uint256 kept,
        uint256 burned
    );
    /// @param debts set aside to repay the filers of the trainer's other open disputes, too
    /// @param held see StakeReward
    event StakeTaken(
        uint256 indexed beastId,
        address indexed trainer,
        uint256 amount,
        uint256 debts,
        uint256 burned,
        StakeReward held
    );
    /// @notice An earlier conviction took a held reward over; `to` was paid the gas of its own.
    event RewardTakenOver(uint256 indexed beastId, address indexed trainer, address indexed to, uint256 gasPaid);
    event RewardSettled(uint256 indexed beastId, address indexed trainer, StakeReward held);
    event StepsCounted(uint256 indexed disputeId, address indexed account, uint8 steps);
    event StepPoolFilled(uint256 indexed disputeId, uint256 energy, uint256 coin);
    event StepsClaimed(uint256 indexed disputeId, address indexed account, uint256 energy, uint256 coin);
    event Credited(address indexed account, uint256 amount);
    event CreditWithdrawn(address indexed account, address indexed to, uint256 amount);

    error OnlyCourt(address caller);
    error OnlyLedger(address caller);
    error OpeningBondTooSmall(uint256 required, uint256 sent);
    error AmountTooLarge(uint256 amount);
    /// @notice No reward of that trainer's stake is held.
    error NoReward(uint256 beastId, address trainer);
    /// @notice A window below the convicted one is still pending.
    error RewardNotDue(uint256 beastId, uint32 finalCount, uint32 needed);
    error NothingToClaim(uint256 disputeId, address account);
    error NoCredit(address account);
    /// @notice The receiver refused the coin; the credit stands.
    error TransferRefused(address to);

    // --- for everybody ----------------------------------------------------------------------------------------

    /// @notice Credit a held reward that is due. Anyone may call.
    function settleReward(uint256 beastId, address trainer) external;

    /// @notice Credit the caller for the committed steps that it re-executed in an ended dispute: coin here, ENERGY to its
    /// escrow in the ledger.
    function claimSteps(uint256 disputeId) external;

    /// @notice Send the caller's credit to `to`.
    function withdrawCredit(address payable to) external;

    // --- views ------------------------------------------------------------------------------------------------

    function creditOf(address account) external view returns (uint256);

    function bondOf(uint256 disputeId) external view returns (OpeningBond memory);

    function rewardOf(uint256 beastId, address trainer) external view returns (StakeReward memory);

    /// @notice Whether a reward out of an earlier stake of the trainer is held.
    function holdsReward(uint256 beastId, address trainer) external view returns (bool);

    /// @notice What the trainer was paid for openings in disputes that are still open.
    function debtOf(uint256 beastId, address trainer) external view returns (uint256);

    /// @notice Open disputes over checkpoints of the beast.
    function openDisputesOf(uint256 beastId) external view returns (uint256);

    /// @notice The opening bond that filing asks for at present, in wei of native coin.
    function quote(uint256 beastId, uint256 gasOwed) external view returns (uint256);

    function stepsOf(uint256 disputeId, address account) external view returns (uint256);

    /// @notice Steps of the dispute that are paid, by whomever.
    function countedSteps(uint256 disputeId) external view returns (uint8);

    function ledger() external view returns (ICheckpointLedger);

    // --- for the court only -----------------------------------------------------------------------------------

    /// @notice Take the opening bond for `gasOwed` out of the value sent; what is too much is credited to the filer.
    function lock(uint256 disputeId, uint256 beastId, address trainer, address filer, uint256 gasOwed) external payable;

    /// @notice Pay the trainer for an opening.
    /// @param reserve what must stay of the trainer's stake beside what it was paid, to share and burn if it is slashed
    function pay(uint256 disputeId, uint256 beastId, address trainer, uint256 amount, uint256 reserve) external;

    /// @notice End the opening bond. VOID becomes RETURN where the trainer was slashed on the beast since the filing.
    function release(uint256 disputeId, uint256 beastId, address trainer, address filer, BondEnd end) external;

    /// @notice Count steps that an account committed to and re-executed.
    function countSteps(uint256 disputeId, address account, uint8 steps) external;

    /// @notice Credit coin that was sent for a filing which did nothing.
    function refund(address account) external payable;

    // --- for the ledger only ----------------------------------------------------------------------------------

    /// @notice Distribute the stake of a convicted trainer, which is the value sent.
    function takeStake(
        uint256 beastId,
        address trainer,
        uint32 index,
        Payees calldata payees,
        uint16 filingBps,
        uint16 proofBps
    ) external payable;

    /// @notice Fill the pool of a dispute's committed steps with ENERGY that stands in this contract's escrow.
    function fillEnergy(uint256 disputeId, uint256 energy) external;
}
