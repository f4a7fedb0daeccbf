/**
 * EthereumJS's EVM behind one JSON line a request: `create` with creation code, `to` and `data` for a call.
 *
 * Shares no code with Anvil's, so that what both make of the referees' bytecode is the bytecode's meaning.
 */
import { createInterface } from "node:readline";

import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createEVM } from "@ethereumjs/evm";
import { bytesToHex, createAddressFromString, hexToBytes } from "@ethereumjs/util";

const GAS = 1n << 24n;
const evm = await createEVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Osaka }) });

for await (const line of createInterface({ input: process.stdin })) {
  const { create, to, data } = JSON.parse(line);
  const call = create
    ? { data: hexToBytes(create), gasLimit: GAS }
    : { to: createAddressFromString(to), data: hexToBytes(data), gasLimit: GAS };
  const { createdAddress, execResult } = await evm.runCall(call);
  const answer = {
    address: createdAddress?.toString(),
    error: execResult.exceptionError?.error,
    gas: Number(execResult.executionGasUsed),
    result: bytesToHex(execResult.returnValue),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
