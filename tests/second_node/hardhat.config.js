/**
 * The chain of Hardhat's node: Osaka's rules, and the limits that the contracts are made for.
 *
 * Chain id and accounts are Anvil's, so that local accounts (`devnet:N`) act on it; like a devnet it
 * makes a block for each transaction, and one a second besides.
 */
export default {
  networks: {
    second: {
      type: "edr-simulated",
      chainType: "l1",
      hardfork: "osaka",
      chainId: 31337,
      blockGasLimit: 60_000_000,
      transactionGasCap: 16_777_216,
      gasEstimationMode: "topLevelSuccess", // as other nodes estimate; the default runs a minute for a whole window
      mining: { auto: true, interval: 1_000 },
    },
  },
};
