// Wallets in this browser (EIP-6963, or EIP-1193's `window.ethereum` where none announces itself), and how they fail.

const REJECTED = 4001;
/** Answers by which a wallet says that it has not even tried: EIP-1193's and JSON-RPC's. */
const NOT_TRIED = new Set([4100, 4200, -32600, -32601, -32602]);
const UNKNOWN_CHAIN = 4902;

/** What a wallet or its node answered instead of a result. */
export class WalletError extends Error {
  constructor(method, error) {
    super(`The wallet answered to ${method}: ${error?.message || "an error without a message"}`);
    this.code = codeOf(error);
    this.data = revertData(error);
  }

  /** The reader said no. */
  get rejected() {
    return this.code === REJECTED;
  }

  /** Nothing was sent, for sure; any other failure of a sending leaves a doubt. */
  get notSent() {
    return this.rejected || NOT_TRIED.has(this.code) || this.data !== null;
  }

  get unknownChain() {
    return this.code === UNKNOWN_CHAIN;
  }
}

/** What each wallet wraps its node's error in. */
const inner = (error) => [error?.data, error?.error, error?.originalError, error?.cause];

function codeOf(error, depth = 4) {
  if (!depth || error === null || typeof error !== "object") return null;
  if (error.code === REJECTED || error.code === UNKNOWN_CHAIN) return error.code;
  return inner(error).reduce((found, one) => found ?? codeOf(one, depth - 1), null) ?? error.code ?? null;
}

/** The data of a revert, "0x…", wherever the wallet has put it; null if it was none. */
function revertData(error, depth = 5) {
  if (!depth || error === null || typeof error !== "object") return null;
  if (typeof error.data === "string" && /^0x([0-9a-f]{2})*$/i.test(error.data)) return error.data;
  return inner(error).reduce((found, one) => found ?? revertData(one, depth - 1), null);
}

/** A wallet: `name` is what it calls itself. */
export class Wallet {
  constructor(provider, { name, rdns = "" }) {
    this.provider = provider;
    this.name = name;
    this.rdns = rdns;
  }

  async request(method, params = []) {
    try {
      return await this.provider.request({ method, params });
    } catch (error) {
      throw new WalletError(method, error);
    }
  }

  /** Hear of other accounts and chains until `signal` aborts. */
  watch(changed, signal) {
    for (const event of ["accountsChanged", "chainChanged", "disconnect"]) {
      this.provider.on?.(event, changed);
      signal.addEventListener("abort", () => this.provider.removeListener?.(event, changed), { once: true });
    }
  }
}

const ANNOUNCE = "eip6963:announceProvider";

/** Tell of the wallets of this browser, now and as they announce themselves, until `signal` aborts. */
export function discover(found, signal) {
  const wallets = new Map();
  const heard = ({ detail }) => {
    if (!detail?.info?.uuid || !detail.provider || wallets.has(detail.info.uuid)) return;
    const { name, rdns, uuid } = detail.info;
    wallets.set(uuid, new Wallet(detail.provider, { name: String(name), rdns: String(rdns) }));
    found([...wallets.values()]);
  };
  addEventListener(ANNOUNCE, heard, { signal });
  dispatchEvent(new Event("eip6963:requestProvider"));
  if (wallets.size) return;
  found(window.ethereum ? [new Wallet(window.ethereum, { name: "The wallet of this browser" })] : []);
}
