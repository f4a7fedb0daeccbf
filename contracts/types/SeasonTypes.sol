// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules} from "./KernelTypes.sol";

/// @notice How a beast's life is cut into epochs, which heads learn when, and how the learning rate decays.
/// @param epochWindows windows in one epoch (1 to 65,535)
/// @param moveOnlyEpochs first epochs, in which only the move head learns
/// @param attackEpochs epochs after those, in which move and attack learn; all three heads learn afterwards
/// @param lrBase the learning-rate shift of the first epochs (3 ≤ lrBase ≤ lrMax ≤ 15)
/// @param lrHoldEpochs epochs before the first decay
/// @param lrEpochsPerDecay epochs between decays (1 to 65,535)
/// @param lrMax the last and largest shift
struct Schedule {
    uint16 epochWindows;
    uint16 moveOnlyEpochs;
    uint16 attackEpochs;
    uint8 lrBase;
    uint16 lrHoldEpochs;
    uint16 lrEpochsPerDecay;
    uint8 lrMax;
}

/// @notice Prices in wei of ENERGY, periods in seconds, shares in basis points.
/// @dev The order packs everything that a submission and a slashing read into the first storage slot.
/// @param baseCost price of one micro-step with every slot awake
/// @param growthCost price of waking one slot
/// @param trainerBondMultiple trainer's bond as a multiple of the window's energyBurn
/// @param disputeBondMultiple challenger's bond as a multiple of the window's energyBurn
/// @param rewardBps challenger's share of the offender's locked ENERGY and bond
/// @param proverBps prover's share of the same
/// @param challengePeriod age at which an undisputed checkpoint may finalize
/// @param responseWindow time to answer a dispute, or a demand for records
/// @param proofWindow time to prove a segment after the response
struct Economics {
    uint96 baseCost;
    uint96 growthCost;
    uint8 trainerBondMultiple;
    uint8 disputeBondMultiple;
    uint16 rewardBps;
    uint16 proverBps;
    uint32 challengePeriod;
    uint32 responseWindow;
    uint32 proofWindow;
}

/// @notice What matches cost and pay: rewards and bond in wei of ENERGY, times in seconds.
/// @param winnerReward minted for the winner's owner
/// @param loserReward minted for the loser's owner, and for both after a draw
/// @param disproofPeriod time to disprove a record
/// @param rewardCooldown time in which a beast earns one reward at most
/// @param recordBond what a reporter puts up
struct ArenaTerms {
    uint96 winnerReward;
    uint96 loserReward;
    uint32 disproofPeriod;
    uint32 rewardCooldown;
    uint96 recordBond;
}

/// @notice One version of every constant that governance may change.
struct Season {
    Rules rules;
    Schedule schedule;
    Economics economics;
    ArenaTerms arena;
}
