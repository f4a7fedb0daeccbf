/**
 * The chain of Hardhat's node: the rules and limits of the mainnet that the contracts are made for.
 *
 * It has Anvil's chain id and accounts, so that local accounts (`devnet:N`) act on it.
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
    },
  },
};
