"""A wallet as its reader uses it: EIP-1193 in the page, and a real node behind it that signs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.sync_api import Page

from scripts.lib.wire import Wire
from tests.support.patience import PATIENCE

GAS = hex(12_000_000)
"""Named by the wallet, so that the node mines what will fail, too."""

PROVIDERS = """
(names) => {
  const heard = new Map();
  const provider = {
    async request({ method, params = [] }) {
      const { result, error, silent } = await window.askWallet(method, params);
      if (silent) await new Promise(() => {});
      if (error) throw Object.assign(new Error(error.message), error);
      return result;
    },
    on: (event, listener) => heard.set(event, [...(heard.get(event) ?? []), listener]),
    removeListener: (event, listener) =>
      heard.set(event, (heard.get(event) ?? []).filter((one) => one !== listener)),
  };
  window.tellWallet = (event, value) => (heard.get(event) ?? []).forEach((one) => one(value));
  window.walletListeners = () => [...heard.values()].flat().length;
  if (names === null) { window.ethereum = provider; return; }
  const announce = () => names.forEach((name) => dispatchEvent(new CustomEvent(
    "eip6963:announceProvider",
    { detail: { info: { uuid: name, name, rdns: "example." + name, icon: "data:," }, provider } },
  )));
  addEventListener("eip6963:requestProvider", announce);
  announce();
}
"""


@dataclass
class Wallet:
    """The wallet's side: which account it shows, what it answers, and what it was asked to sign.

    Attributes:
        before: called just before the next transaction is sent, once.
        lost: whether the answer to the next sending is lost on its way.
        silent: whether it answers nothing from now on.
        errors: answers to a method, each used up once, instead of the node's.
    """

    node: str
    accounts: list[str]
    chain_id: int
    sent: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    errors: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    lost: bool = False
    silent: bool = False
    page: Page | None = None
    _wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self._wire = Wire(self.node, PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def enter(self, page: Page, *names: str) -> None:
        """Be in a page's browser: announced by these names, without any as ``window.ethereum``."""
        self.page = page
        page.expose_function("askWallet", self.answer)
        given = repr(list(names)) if names else "null"
        page.add_init_script(f"({PROVIDERS})({given})")

    def use(self, account: str) -> None:
        """The reader chooses another account in the wallet."""
        self.accounts = [account]
        self._tell("accountsChanged", [account])

    def move(self, chain_id: int) -> None:
        """The reader, or the page, has the wallet change its chain."""
        self.chain_id = chain_id
        self._tell("chainChanged", hex(chain_id))

    def _tell(self, event: str, value: Any) -> None:
        assert self.page is not None
        self.page.evaluate(
            "([event, value]) => { window.tellWallet(event, value) }", [event, value]
        )

    def answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        """What the page gets."""
        self.asked.append(method)
        if self.silent:
            return {"silent": True}
        if method in self.errors:
            return {"error": self.errors.pop(method)}
        if method in ("eth_accounts", "eth_requestAccounts"):
            return {"result": self.accounts}
        if method == "eth_chainId":
            return {"result": hex(self.chain_id)}
        if method == "wallet_switchEthereumChain":
            self.chain_id = int(params[0]["chainId"], 16)
            return {"result": None}
        if method == "eth_sendTransaction":
            if self.before is not None:
                hook, self.before = self.before, None
                hook()
            params = [params[0] | {"gas": GAS}]
            self.sent.append(params[0])
            if self.lost:
                self.lost = False
                self.ask_node(method, params)
                return {"error": {"code": -32603, "message": "The connection was lost."}}
        return self.ask_node(method, params)

    def ask_node(self, method: str, params: list[Any]) -> dict[str, Any]:
        """The node's answer."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = json.loads(self._wire.post(json.dumps(request).encode()))
        return {key: answer[key] for key in ("result", "error") if key in answer}
