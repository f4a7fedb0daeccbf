// A transaction from the wallet's question to its end, whatever wallet and node say: nothing is ever sent twice.
import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { Attempts, callHash } from "../../backend/api/page/wallet/attempts.js";
import { Chain } from "../../backend/api/page/wallet/chain.js";
import { chosenWallet, connect } from "../../backend/api/page/wallet/connection.js";
import { Contracts } from "../../backend/api/page/wallet/contracts.js";
import { Wallet, WalletError } from "../../backend/api/page/wallet/provider.js";
import { Refusal } from "../../backend/api/page/wallet/refusal.js";
import { follow, send } from "../../backend/api/page/wallet/sending.js";
import { toHex, uint } from "../../backend/api/page/kernel/bytes.js";

const ME = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const THERE = "0x" + "22".repeat(20);
const tx = { from: ME, to: THERE, data: "0xd09de08a", value: 5n };
const hex = (n) => `0x${n.toString(16)}`;
const ERRORS = [{ type: "error", name: "NoRewards", inputs: [{ name: "account", type: "address" }] }];
const WORDING = { NoRewards: { sentence: "{account} has no rewards.", hint: "", units: {} } };
const REVERT = "0x" + "c8fe3c53" + ME.slice(2).padStart(64, "0");

/** A node with a memory pool, and the wallet before it. */
class Node {
  blocks = Array.from({ length: 50 }, () => []);
  pool = [];
  shown = true; // what waits, to who asks for it by its hash
  sent = 0;
  chainId = 31337;
  answer = (sent) => sent.hash;

  #put(transaction) {
    this.sent++;
    const hash = toHex(uint(1000n + BigInt(this.sent)));
    const made = { nonce: hex(this.nonce(true)), ...transaction, hash, input: transaction.data };
    this.pool = [...this.pool.filter(({ nonce }) => nonce !== made.nonce), made];
    return made;
  }

  /** Somebody else's transaction of the account, or the same one with another fee. */
  other = (changes, nonce = this.nonce()) => this.#put({ ...tx, value: hex(tx.value), ...changes, nonce: hex(nonce) });

  nonce(pending = false, block = this.blocks.length - 1) {
    const mined = this.blocks.slice(0, block + 1).flat().length;
    return pending ? mined + this.pool.length : mined;
  }

  mine(status = 1, count = this.pool.length) {
    this.blocks.push(this.pool.slice(0, count).map((one) => ({ ...one, status })));
    this.pool = this.pool.slice(count);
  }

  empty(count) {
    for (let i = 0; i < count; i++) this.blocks.push([]);
  }

  #receipt(hash) {
    const at = this.blocks.findIndex((block) => block.some((one) => one.hash === hash));
    if (at < 0) return null;
    const { status } = this.blocks[at].find((one) => one.hash === hash);
    return { status: hex(status), transactionHash: hash, blockNumber: hex(at), logs: [] };
  }

  request = async ({ method, params }) => {
    if (this.down) throw { code: -32603, message: "down" };
    if (method === "eth_chainId") return hex(this.chainId);
    if (method === "eth_sendTransaction") return this.answer(this.#put(params[0]));
    if (method === "eth_getTransactionReceipt") return this.#receipt(params[0]);
    if (method === "eth_getTransactionByHash")
      return [...this.blocks.flat(), ...(this.shown ? this.pool : [])].find(({ hash }) => hash === params[0]) ?? null;
    if (method === "eth_getTransactionCount") {
      if (params[1] === "latest" || params[1] === "pending") return hex(this.nonce(params[1] === "pending"));
      if (this.pruned) throw { code: -32000, message: "missing trie node" };
      return hex(this.nonce(false, Number(params[1])));
    }
    if (method === "eth_getBlockByNumber") {
      const at = params[0] === "latest" ? this.blocks.length - 1 : Number(params[0]);
      return { number: hex(at), timestamp: hex(at), transactions: this.blocks[at] };
    }
    if (method === "eth_call") throw { code: 3, message: "reverted", data: REVERT };
    throw new Error(method);
  };
}

class Storage {
  kept = new Map();
  getItem = (key) => this.kept.get(key) ?? null;
  setItem = (key, value) => this.kept.set(key, value);
}

let node, chain, attempts, told, stop;
beforeEach(() => {
  node = new Node();
  const arena = { name: "Arena", address: THERE, abi: ERRORS };
  const contracts = new Contracts({ chain_id: 31337, contracts: [arena], errors: WORDING });
  chain = new Chain(new Wallet(node, { name: "Fox" }), contracts);
  attempts = new Attempts("0x00", new Storage());
  told = [];
  stop = new AbortController();
});

const options = () => ({ tx, title: "Do it", signal: stop.signal, told: (found) => told.push(found) });
const states = () => told.map(({ state }) => state);

/** Let what was started come to rest between two looks at the chain. */
async function rest(t) {
  for (let i = 0; i < 200; i++) await Promise.resolve();
  t?.mock.timers.tick(2000);
  for (let i = 0; i < 200; i++) await Promise.resolve();
}

test("signing, pending, mined, deep enough; nothing is left over", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const done = send(chain, attempts, options());
  await rest(t);
  assert.deepEqual(states(), ["signing", "pending"]);
  assert.equal(attempts.of(ME).hash, told[1].hash);
  node.mine();
  await rest(t);
  assert.deepEqual(states(), ["signing", "pending", "mined"]);
  assert.equal(attempts.of(ME), null);
  node.empty(3);
  await rest(t);
  assert.equal((await done).state, "mined");
  assert.equal(node.sent, 1);
});

for (const [state, error] of [
  ["rejected", { code: 4001, message: "no" }],
  ["rejected", { code: -32603, message: "internal", data: { originalError: { code: 4001 } } }],
  ["refused", { code: 4100, message: "not allowed" }],
  ["refused", { code: -32603, message: "internal", data: { code: 3, data: REVERT } }],
])
  test(`${state} by ${JSON.stringify(error).slice(0, 40)}: not sent, and it can be tried again`, async () => {
    node.answer = () => {
      node.pool = [];
      throw error;
    };
    assert.equal((await send(chain, attempts, options())).state, state);
    assert.equal(attempts.of(ME), null);
    if (told.at(-1).error.code === "NoRewards") assert.match(told.at(-1).error.message, /has no rewards/);
  });

test("a lost answer is a doubt: it is looked for, found, and never sent again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  node.answer = () => {
    throw { code: -32603, message: "connection lost" };
  };
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  assert.deepEqual(states(), ["signing", "unknown", "pending"]);
  assert.equal((await send(chain, attempts, { ...options(), told: () => {} })).state, "busy");
  node.mine();
  await rest(t);
  assert.equal(states().at(-1), "mined");
  assert.equal(node.sent, 1);
  stop.abort();
});

test("a lost answer of what was never sent stays a doubt until the reader says so", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  node.answer = () => {
    node.pool = [];
    throw { message: "lost" };
  };
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  assert.deepEqual(states(), ["signing", "unknown", "unknown"]);
  node.other({ data: "0x01" });
  node.mine();
  await rest(t);
  assert.equal(states().at(-1), "unknown", "another transaction of the account is not this one");
  assert.equal((await send(chain, attempts, { ...options(), told: () => {} })).state, "busy");
  attempts.forget(attempts.of(ME));
  assert.equal(attempts.of(ME), null);
  stop.abort();
});

test("sped up in the wallet: followed under its new hash", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  const faster = node.other({}, 0);
  await rest(t);
  node.mine();
  node.empty(9);
  await rest(t);
  const last = told.at(-1);
  assert.deepEqual([last.state, last.hash, last.fee, last.block], ["mined", faster.hash, true, 50]);
  stop.abort();
});

test("cancelled in the wallet: another transaction took its place", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const done = send(chain, attempts, options());
  await rest(t);
  const cancel = node.other({ to: ME, data: "0x", value: "0x0" }, 0);
  node.mine();
  await rest(t);
  const last = await done;
  assert.deepEqual([last.state, last.by], ["replaced", cancel.hash]);
  assert.equal(attempts.of(ME), null);
});

test("behind another transaction, and waiting where the node does not look: it is not taken for replaced", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  node.shown = false;
  node.other({ data: "0x01" });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  node.mine(1, 1);
  await rest(t);
  assert.ok(!states().includes("replaced"), states());
  assert.notEqual(attempts.of(ME), null);
  node.mine();
  await rest(t);
  assert.deepEqual([states().at(-1), told.at(-1).fee], ["mined", undefined]);
  stop.abort();
});

test("its place in the account's order outlasts the node's memory of it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  node.other({ data: "0x01" });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  stop.abort();
  node.shown = false;
  await rest(t);
  [stop, told] = [new AbortController(), []];
  const attempt = attempts.of(ME);
  assert.deepEqual([attempt.nonce, attempt.own], [0, 1]);
  const done = follow(chain, attempts, { attempt, signal: stop.signal, told: (found) => told.push(found) });
  node.mine(1, 1);
  await rest(t);
  assert.deepEqual(states(), ["pending"]);
  const cancel = node.other({ to: ME, data: "0x", value: "0x0" }, 1);
  node.mine();
  await rest(t);
  assert.deepEqual([(await done).state, told.at(-1).by], ["replaced", cancel.hash]);
});

test("what the node does not know any more becomes a doubt, and is pending or mined again as soon as it does", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  const { hash } = attempts.of(ME);
  const pool = node.pool;
  node.pool = [];
  await rest(t);
  assert.deepEqual(states(), ["signing", "pending"], "another of the node's machines may be behind");
  for (let i = 0; i < 10; i++) await rest(t);
  assert.deepEqual(states(), ["signing", "pending", "unknown"]);
  assert.equal(told.at(-1).hash, hash);
  assert.notEqual(attempts.of(ME), null, "only the reader forgets it");
  node.pool = pool;
  await rest(t);
  assert.equal(states().at(-1), "pending");
  node.pool = [];
  for (let i = 0; i < 12; i++) await rest(t);
  assert.equal(states().at(-1), "unknown");
  node.pool = pool;
  node.mine();
  await rest(t);
  assert.equal(states().at(-1), "mined");
  stop.abort();
});

test("a node that has forgotten how the account stood in old blocks leaves a doubt, too", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  node.other({ to: ME, data: "0x", value: "0x0" }, 0);
  node.mine();
  node.pruned = true;
  for (let i = 0; i < 12; i++) await rest(t);
  assert.deepEqual([states().at(-1), told.at(-1).away], ["unknown", undefined]);
  stop.abort();
});

test("mined and refused by the contract: failed, with the contract's own error", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  node.mine(0);
  await rest(t);
  const last = told.at(-1);
  assert.equal(last.state, "failed");
  assert.equal(last.error.code, "NoRewards");
  assert.equal(last.error.values.account, ME);
  stop.abort();
});

test("a reorg that takes the block back makes it pending again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  node.mine();
  await rest(t);
  node.pool = node.blocks.pop();
  await rest(t);
  assert.deepEqual(states(), ["signing", "pending", "mined", "pending"]);
  node.mine();
  await rest(t);
  assert.equal(states().at(-1), "mined");
  stop.abort();
});

test("while the node is away nothing is decided", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  node.down = true;
  await rest(t);
  assert.deepEqual([told.at(-1).state, told.at(-1).away], ["pending", true]);
  node.down = false;
  node.mine();
  await rest(t);
  assert.deepEqual([told.at(-1).state, told.at(-1).away], ["mined", undefined]);
  stop.abort();
});

test("after a reload what was under way is taken up from what was kept", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  stop.abort();
  await rest(t);
  [stop, told] = [new AbortController(), []];
  node.mine();
  const attempt = attempts.of(ME);
  assert.equal(attempt.call, callHash(tx));
  follow(chain, attempts, { attempt, signal: stop.signal, told: (found) => told.push(found) }).catch(() => {});
  await rest(t);
  assert.deepEqual(states(), ["mined"]);
  stop.abort();
});

test("what is signed names its chain", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  send(chain, attempts, options()).catch(() => {});
  await rest(t);
  assert.equal(node.pool[0].chainId, hex(31337));
  stop.abort();
});

for (const [what, happens, refused] of [
  ["the wallet is on another chain by then", () => (node.chainId = 1), (error) => error instanceof Refusal],
  ["the node does not answer by then", () => (node.down = true), (error) => error instanceof WalletError],
  ["the reader has left by then", () => stop.abort(), (error) => error === stop.signal.reason],
])
  test(`${what}: nothing is asked to be signed, and nothing is under way`, async () => {
    attempts.claim = async (attempt) => {
      const claimed = await Attempts.prototype.claim.call(attempts, attempt);
      happens();
      return claimed;
    };
    await assert.rejects(send(chain, attempts, options()), refused);
    assert.deepEqual([node.sent, attempts.of(ME), states()], [0, null, []]);
  });

test("where the browser keeps nothing, nothing is sent", async () => {
  attempts.storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  await assert.rejects(send(chain, attempts, options()), Refusal);
  assert.equal(node.sent, 0);
});

test("a wallet that answers after the reader has left it is not taken up again", async () => {
  let answer;
  const slow = new Wallet({ request: () => new Promise((resolve) => (answer = resolve)) }, { name: "Fox" });
  const connecting = connect(slow, chain.contracts, false, stop.signal);
  stop.abort();
  answer([ME]);
  await assert.rejects(connecting, (error) => error === stop.signal.reason);
  assert.equal(chosenWallet(), null);
});
