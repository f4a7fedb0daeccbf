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

/// @notice Prices in wei of ENERGY, periods in seconds, shares in basis points, gas in gas.
/// @dev The order packs everything that a submission reads into the first storage slot, what disputes and the sale read into
/// the second.
/// @param baseCost price of one micro-step with every slot awake
/// @param growthCost price of waking one slot
/// @param trainerBondMultiple trainer's bond as a multiple of the window's energyBurn
/// @param disputeBondMultiple filer's ENERGY bond as a multiple of the window's energyBurn
/// @param stakeGas a trainer's stake, as the gas that it pays at the base fee of a submission
/// @param filingBps the filer's share of what an offender loses
/// @param proofBps the prover's share of the same
/// @param challengePeriod time in which a checkpoint can be disputed; undisputed, it may finalize afterwards
/// @param responseWindow time to make the openings that a dispute asks for
/// @param proofWindow time to prove a segment wrong after the last opening
/// @param publicationAge age up to which a publication in an archive still counts as an opening
/// @param energyPrice wei of native coin for 10^18 wei of ENERGY; 0 where none is sold
/// @param hatchCost burned by a request to hatch
struct Economics {
    uint96 baseCost;
    uint96 growthCost;
    uint8 trainerBondMultiple;
    uint8 disputeBondMultiple;
    uint32 stakeGas;
    uint16 filingBps;
    uint16 proofBps;
    uint32 challengePeriod;
    uint32 responseWindow;
    uint32 proofWindow;
    uint32 publicationAge;
    uint96 energyPrice;
    uint96 hatchCost;
}

/// @notice What no season of a deployment may fall below. Fixed for ever when the registry is deployed.
/// @param referenceFee least wei per gas at which stakes and opening bonds are reckoned; where calldata costs a data fee
/// besides, it includes that fee per gas of calldata
/// @param maxPublicationAge how long nodes of this chain can be trusted to serve a publication, in seconds
struct Limits {
    uint96 referenceFee;
    uint32 minChallengePeriod;
    uint32 minResponseWindow;
    uint32 minProofWindow;
    uint32 minStakeGas;
    uint8 minTrainerBondMultiple;
    uint8 minDisputeBondMultiple;
    uint32 maxPublicationAge;
}

/// @notice What matches cost and pay: rewards and bond in wei of ENERGY, times in seconds.
/// @param winnerReward credited to the winner's owner
/// @param loserReward credited to the loser's owner, and to both after a draw
/// @param disproofPeriod time to disprove a record
/// @param rewardCooldown time in which a beast earns its best reward, and no more
/// @param recordBond what a reporter puts up
/// @param rewardCapBps share, in basis points, of what a beast's own final training burned that it may ever be credited
/// @param recordWindow time in which a seeded match can be recorded
struct ArenaTerms {
    uint96 winnerReward;
    uint96 loserReward;
    uint32 disproofPeriod;
    uint32 rewardCooldown;
    uint96 recordBond;
    uint16 rewardCapBps;
    uint32 recordWindow;
}

/// @notice One version of every constant that governance may change.
struct Season {
    Rules rules;
    Schedule schedule;
    Economics economics;
    ArenaTerms arena;
}
