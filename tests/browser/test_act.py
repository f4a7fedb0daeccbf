"""Acting from the page through a wallet: each test is a chapter of one small world's story."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID, Anvil
from chainbeasts.backend.chain.deploy import Deployer, prepare
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import SnapshotStore
from tests.api.conftest import Served, services_of, serving, world_of
from tests.browser.conftest import PATIENCE_MS, Visit, visiting
from tests.browser.test_frame import MOST_SHIFT, NARROW, RULES_OF_COLOUR, SHIFTS, axe, faults
from tests.browser.wallets import Wallet
from tests.support.arena import (
    ACCEPTED,
    CANCELLED,
    CHALLENGED,
    EXPIRED,
    FINISHED,
    RECORDED,
    Bout,
    Fighter,
    hunter,
    idle,
    match_of,
)
from tests.support.patience import PATIENCE
from tests.support.protocol import ETHER, World
from tests.support.snapshots import nothing_mined

PRICE = 10**15
OTHER_CHAIN = 1
CREDIT = 1_000
REJECTION = {"code": 4001, "message": "User rejected the request."}


@dataclass
class Ground:
    """A deployment whose sale is open, its server, and two players."""

    world: World
    served: Served
    store: SnapshotStore
    url: str
    ours: str
    theirs: str

    latest: dict[int, Fighter] = field(default_factory=dict)

    def train(self, beast: int, owner: str, weights: Weights) -> None:
        """A window of a beast, whose state the server has."""
        fighter = Fighter.submit(self.world, owner, weights, beast)
        self.store.put(fighter.state)
        self.latest[beast] = fighter


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("act")
    with Anvil() as anvil:
        account, devnet = devnet_account(0), load_profile("devnet")
        economics = replace(devnet.season.economics, energy_price=PRICE, challenge_period=1_800)
        # Periods that no slow machine waits out: the chain's clock goes on while the page is read.
        arena = replace(devnet.season.arena, disproof_period=1_800, record_window=7_200)
        season = replace(devnet.season, economics=economics, arena=arena)
        profile = replace(devnet, season=season)
        chain = prepare(anvil.url, folder / "deployments", profile, account.address, fresh=True)
        sender = TransactionManager(chain, account, folder / "locks")
        for _ in Deployer(chain, sender, profile, folder / "deployments").run():
            pass
        world = world_of(chain)
        database = Database(f"sqlite:///{folder}/api.sqlite3")
        services = replace(services_of(chain, database, folder), wallet=True)
        with serving(services, limits=Limits(rate=0)) as served:
            store = SnapshotStore(folder / "states")
            ours, theirs = (world.accounts[n].lower() for n in (1, 2))
            yield Ground(world, served, store, anvil.url, ours, theirs)
        database.close()


@dataclass
class Tab(Visit):
    """The one tab of the story, whose server reads the chain meanwhile."""

    ground: Ground = field(kw_only=True)

    def caught_up(self) -> bool:
        """Whether the server has read all blocks."""
        indexed = self.ground.served.json("/v1/status")["indexed"]
        return bool(indexed and indexed["number"] >= self.ground.world.w3.eth.block_number)


@pytest.fixture(scope="module")
def wallet(ground: Ground) -> Iterator[Wallet]:
    with Wallet(ground.url, [ground.ours], OTHER_CHAIN) as made:
        yield made


@pytest.fixture(scope="module")
def visit(browser: Browser, ground: Ground, wallet: Wallet) -> Iterator[Tab]:
    """One tab for the whole story."""
    url = ground.served.url
    with visiting(browser, lambda page: Tab(page, url, ground=ground)) as made:
        wallet.enter(made.page, "Rabbit", "Fox")
        yield made


def fill(visit: Tab, action: str, **values: object) -> None:
    """Go to an action and ask what it does, once the server knows all blocks."""
    visit.wait_until("the server has read the chain", visit.caught_up)
    query = "&".join(f"{name}={value}" for name, value in values.items())
    visit.go(f"#/act/{action}?{query}")
    # The form before it stays until this one is there, and may ask for the same.
    current = f'.actions a[aria-current="page"][href^="#/act/{action}"]'
    expect(visit.page.locator(current)).to_be_visible()
    for name, value in values.items():
        expect(visit.page.locator(f"#field-{name}")).to_have_value(str(value))
    visit.page.get_by_role("button", name="See what it does").click()


def sign(visit: Tab, title: str) -> None:
    """Sign the step that is shown."""
    expect(visit.page.locator(".review h2")).to_contain_text(title)
    visit.page.get_by_role("button", name="Sign in the wallet").click()


def acts_as(visit: Tab, account: str) -> None:
    """Wait until this account's purse is shown, whose address is in brief there."""
    expect(visit.page.locator(f'.purse code[title="{account}"]')).to_be_visible()


def state(visit: Tab) -> Locator:
    return visit.page.locator(".review .tx")


def outcome(visit: Tab) -> Locator:
    """What became of the newest step."""
    return visit.page.locator(".outcome").last


def term(visit: Tab, label: str) -> Locator:
    return visit.page.locator(".plan .terms > div").filter(has_text=label).locator("dd")


def test_nothing_of_it_is_there_by_default(browser: Browser, ground: Ground) -> None:
    services = ground.served.services
    folder = services.bundles.parent
    with serving(
        services_of(services.chain, services.database, folder), limits=Limits(rate=0)
    ) as closed:
        for path in ("wallet/view.js", "wallet/sending.js", "wallet/actions/money.js"):
            assert (
                httpx.get(f"{closed.url}/{path}", trust_env=False, timeout=PATIENCE).status_code
                == 404
            )
            assert ground.served.get(f"/{path}").status_code == 200
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{closed.url}/#/act")
        expect(page.locator(".notice.error")).to_contain_text("nothing at this address")
        expect(page.get_by_role("link", name="Season")).to_be_visible()
        expect(page.get_by_role("link", name="Act", exact=True)).to_have_count(0)
        page.context.close()


def test_a_wallet_is_chosen_and_moved_to_the_right_chain(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    visit.go("#/act/buy")
    expect(visit.page.locator(".wallets button")).to_have_count(2)
    assert wallet.asked == [], "no wallet is asked for anything before it is chosen"
    visit.page.get_by_role("button", name="Connect Fox").click()
    wrong = visit.page.locator(".wallet .notice.error")
    expect(wrong).to_contain_text(f"on chain {DEVNET_CHAIN_ID}")
    expect(visit.page.locator(".deed")).to_have_count(0)
    wallet.errors["wallet_switchEthereumChain"] = {"code": 4902, "message": "Unrecognized chain"}
    wrong.get_by_role("button").click()
    expect(wrong).to_contain_text("The wallet does not know chain")
    wrong.get_by_role("button").click()
    wallet.move(DEVNET_CHAIN_ID)
    acts_as(visit, ground.ours)
    belief = visit.page.locator("#belief")
    belief.locator("summary").click()
    ledger = belief.locator(f'code[title="{ground.world.ledger.address}"]')
    expect(ledger).to_be_visible()
    assert set(wallet.asked) & {"eth_sendTransaction", "personal_sign"} == set()


def test_energy_is_bought_at_the_price_that_was_shown(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    fill(visit, "buy", amount="ten")
    expect(visit.page.locator(".plan .notice.error")).to_contain_text("How much")
    fill(visit, "buy", amount="2.5")
    expect(term(visit, "You pay")).to_have_text("0.0025 coin")
    expect(term(visit, "Gas")).to_contain_text("coin")
    step = visit.page.locator(".progress-steps [aria-current]")
    expect(step).to_have_text("Check")
    held = ground.world.energy.functions.balanceOf(ground.world.accounts[1])
    before = held.call()
    purse = visit.page.locator(".purse div").filter(has_text="ENERGY").locator("dd")
    shown = purse.inner_text()
    wallet.errors["eth_sendTransaction"] = REJECTION
    sign(visit, "Buy 2.5 ENERGY")
    expect(state(visit)).to_have_attribute("data-state", "rejected")
    assert wallet.sent == []
    wallet.errors["eth_getTransactionCount"] = {"code": -32603, "message": "Too many requests."}
    sign(visit, "Buy 2.5 ENERGY")
    expect(visit.page.locator(".sending .notice.error")).to_contain_text("Too many requests.")
    assert wallet.sent == []
    visit.page.get_by_role("button", name="Sign in the wallet").click()
    expect(outcome(visit)).to_have_text("Bought 2.5 ENERGY for 0.0025 coin. ")
    expect(visit.page.locator(".sending .notice.error")).to_have_count(0)
    expect(purse).not_to_have_text(shown)
    expect(step).to_have_text("Result")
    assert held.call() == before + 5 * ETHER // 2
    assert len(wallet.sent) == 1


def test_a_beast_hatches_in_three_steps(visit: Tab, wallet: Wallet, ground: Ground) -> None:
    fill(visit, "hatch", beast="")
    sign(visit, "Allow the hatch to burn 0.1 ENERGY")
    sign(visit, "Request a beast")
    expect(visit.page.locator(".past li")).to_have_count(2)
    expect(visit.page.locator(".plan .busy")).to_contain_text("with the next block")
    assert "beast=1" in visit.page.url
    ground.world.mine()
    sign(visit, "Hatch beast 1")
    expect(outcome(visit)).to_have_text("Beast 1 has hatched. Beast 1")
    assert ground.world.beasts.functions.ownerOf(1).call().lower() == ground.ours
    assert len(wallet.sent) == 4
    fill(visit, "hatch", beast=1)
    expect(outcome(visit)).to_contain_text("Beast 1 has hatched.")


def test_windows_that_nobody_disputed_are_made_final(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    world, (ours, theirs) = ground.world, ground.world.accounts[1:3]
    ground.train(1, ours, hunter())
    ground.train(1, ours, hunter())
    ground.train(world.hatch(theirs), theirs, idle())
    fill(visit, "finalize", beast=1)
    expect(outcome(visit)).to_contain_text("Window 0 can be disputed until")
    world.travel(world.season.economics.challengePeriod)
    fill(visit, "finalize", beast=2)
    sign(visit, "Make window 0 of beast 2 final")
    expect(outcome(visit)).to_contain_text("Final: window 0 of beast 2.")
    fill(visit, "finalize", beast=1)
    expect(term(visit, "Afterwards")).to_have_text("All its windows are final.")
    sign(visit, "Make windows 0 to 1 of beast 1 final")
    expect(outcome(visit)).to_contain_text("Final: windows 0 to 1 of beast 1.")
    assert world.head(1).finalCount == 2


def test_two_owners_agree_on_a_match_and_publish_what_it_needs(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    world = ground.world
    fill(visit, "challenge", beast=1, opponent=99)
    refusal = visit.page.locator(".plan .notice.error")
    expect(refusal.locator(".raw")).to_have_text("ERC721NonexistentToken(tokenId: 99)")
    fill(visit, "challenge", beast=2, opponent=1)
    expect(refusal).to_contain_text("Beast 2 belongs to")
    expect(refusal.locator(f'code[title="{ground.theirs}"]')).to_be_visible()
    fill(visit, "challenge", beast=1, opponent=2)
    expect(visit.page.locator(".cast a")).to_have_text([re.compile("№ 1$"), re.compile("№ 2$")])
    sign(visit, "Publish the state of beast 1")
    expect(visit.page.locator(".past li")).to_have_count(1)
    sign(visit, "Challenge beast 2 with beast 1")
    expect(outcome(visit)).to_contain_text("Match 1 is proposed.")

    visit.go("#/act/publish")
    own = visit.page.locator(".offers button")
    expect(own).to_have_text(re.compile("№ 1$"))
    own.click()
    expect(visit.page.locator("#field-beast")).to_have_value("1")
    expect(own).to_have_attribute("aria-pressed", "true")
    fill(visit, "publish", beast=2)
    sign(visit, "Publish the state of beast 2")
    expect(visit.page.locator(".past li")).to_contain_text("is on chain.")
    expect(outcome(visit)).to_contain_text("It is on chain since")
    fill(visit, "accept", match=1)
    expect(refusal).to_contain_text("Beast 2 belongs to")
    expect(refusal.locator(f'code[title="{ground.theirs}"]')).to_be_visible()
    wallet.use(ground.theirs)
    acts_as(visit, ground.theirs)
    fill(visit, "accept", match=1)
    sign(visit, "Accept match 1")
    expect(outcome(visit)).to_contain_text("Match 1 is agreed on.")
    assert world.arena.functions.matchOf(1).call()[7] == ACCEPTED


def test_its_seed_is_drawn_and_it_is_recorded_as_this_browser_fights_it(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    world, (ours, theirs) = ground.world, ground.world.accounts[1:3]
    fill(visit, "record", match=1)
    refusal = visit.page.locator(".plan .notice.error")
    expect(refusal).to_contain_text("Match 1 is accepted.")
    fill(visit, "draw", match=1)
    expect(visit.page.locator(".plan .busy")).to_contain_text("with the next block")
    world.mine()
    seed = term(visit, "The seed")
    expect(seed).to_be_visible()
    told = seed.inner_text()
    sign(visit, "Draw the seed of match 1")
    expect(outcome(visit)).to_contain_text(f"Match 1 has the seed {told}.")
    bout = Bout.seeded(world, 1, ground.latest[1], ground.latest[2])
    assert str(bout.seed) == told

    bond = world.season.arena.recordBond
    escrow = world.arena.functions.escrowOf(theirs).call()
    world.send(world.arena.functions.withdraw(escrow - 1, ours), theirs)
    held = world.energy.functions.balanceOf(theirs).call()
    world.send(world.energy.functions.transfer(ours, held), theirs)
    outcome(visit).get_by_role("link", name="Record it").click()
    expect(visit.page.get_by_role("heading", name="Record a match")).to_be_visible()
    visit.page.get_by_role("button", name="See what it does").click()
    expect(refusal).to_contain_text("this account has 0 ENERGY, and 0.000000000000000001 ENERGY")
    world.send(world.energy.functions.transfer(theirs, bond), ours)
    visit.page.get_by_role("button", name="See what it does").click()
    turns = len(bout.truth.words)
    expect(term(visit, "Fought in your browser")).to_contain_text(f"after {turns} turns")
    sign(visit, "Allow the arena to take")
    sign(visit, "into the arena's escrow")
    root = term(visit, "Root of its log").locator("code")
    expect(root).to_have_attribute("title", "0x" + bout.truth.tree.root.hex())
    sign(visit, "Record match 1")
    expect(outcome(visit)).to_contain_text("Match 1 is recorded:")
    state = bout.state
    assert (state.status, state.reporter) == (RECORDED, theirs)
    assert (state.turns, state.logRoot) == (turns, bout.truth.tree.root)
    assert (state.result, state.bond) == (bout.truth.result, bond)
    assert world.arena.functions.escrowOf(theirs).call() == 0


def test_a_match_is_settled_and_another_one_expires(visit: Tab, ground: Ground) -> None:
    world, a, b = ground.world, ground.latest[1], ground.latest[2]
    late = Bout.arrange(world, a, b)
    fill(visit, "settle", match=1)
    refusal = visit.page.locator(".plan .notice.error")
    expect(refusal).to_contain_text("can be disproved until")
    fill(visit, "expire", match=late.number)
    expect(refusal).to_contain_text("can be recorded until")
    assert world.season.arena.recordWindow > world.season.arena.disproofPeriod
    world.travel(world.season.arena.recordWindow)
    visit.page.get_by_role("button", name="See what it does").click()
    sign(visit, f"Let match {late.number} expire")
    expect(outcome(visit)).to_contain_text(f"Match {late.number} has expired.")
    assert late.state.status == EXPIRED
    fill(visit, "settle", match=1)
    sign(visit, "Make match 1 final")
    expect(outcome(visit)).to_contain_text("Match 1 is final:")
    assert match_of(world, 1).status == FINISHED


def test_a_challenge_is_taken_back_by_who_sent_it(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    wallet.use(ground.ours)
    acts_as(visit, ground.ours)
    fill(visit, "challenge", beast=1, opponent=2)
    sign(visit, "Challenge beast 2 with beast 1")
    expect(outcome(visit).get_by_role("link", name="Take it back")).to_be_visible()
    number = ground.world.arena.functions.matchCount().call()
    assert match_of(ground.world, number).status == CHALLENGED
    wallet.use(ground.theirs)
    acts_as(visit, ground.theirs)
    fill(visit, "cancel", match=number)
    expect(visit.page.locator(".plan .notice.error")).to_contain_text("was asked for by")
    wallet.use(ground.ours)
    acts_as(visit, ground.ours)
    fill(visit, "cancel", match=number)
    expect(term(visit, "Gas")).to_contain_text("coin")
    sign(visit, f"Take back the challenge of match {number}")
    expect(outcome(visit)).to_contain_text(f"Match {number} is taken back.")
    assert match_of(ground.world, number).status == CANCELLED
    fill(visit, "cancel", match=number)
    expect(visit.page.locator(".plan .notice.error")).to_contain_text("is cancelled.")


def test_rewards_credit_and_escrow_are_taken_out(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    world, a, b = ground.world, ground.latest[1], ground.latest[2]
    earned = world.arena.functions.rewardsOf(b.owner).call()
    assert earned > 0
    wallet.use(ground.theirs)
    acts_as(visit, ground.theirs)
    fill(visit, "claim", what="rewards")
    wallet.before = lambda: world.send(world.arena.functions.claimRewards(b.owner), b.owner)
    sign(visit, "Take out")
    expect(state(visit)).to_have_attribute("data-state", "failed")
    expect(state(visit)).to_contain_text("NoRewards(account)")
    wallet.use(ground.ours)
    acts_as(visit, ground.ours)
    fill(visit, "claim", what="rewards")
    sign(visit, "Take out")
    expect(outcome(visit)).to_contain_text("Taken out:")
    assert world.arena.functions.rewardsOf(a.owner).call() == 0

    fill(visit, "claim", what="credit")
    expect(outcome(visit)).to_contain_text("there is nothing to take out")
    doubted = world.submit(1, a.owner)
    world.file(1, doubted, world.accounts[3])
    world.send(world.court.functions.file(1, doubted), a.owner, CREDIT)  # too late, and so credited
    visit.page.get_by_role("button", name="See what it does").click()
    before = world.coin(world.vault.address)
    sign(visit, "Take out 0.000000000000001 coin")
    expect(outcome(visit)).to_contain_text("Taken out: 0.000000000000001 coin.")
    assert world.credit(a.owner) == 0
    assert world.coin(world.vault.address) == before - CREDIT

    fill(visit, "claim", what="ledger")
    sign(visit, "Take out")
    expect(outcome(visit)).to_contain_text("Taken out:")
    assert world.escrow(a.owner) == 0


def test_a_wallet_that_loses_its_answer_makes_the_page_look_and_not_send_again(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    fill(visit, "buy", amount="1")
    count = len(wallet.sent)
    wallet.lost = True
    with nothing_mined(ground.world.rpc):
        sign(visit, "Buy 1 ENERGY")
        expect(state(visit)).to_have_attribute("data-state", "pending")
        expect(visit.page.get_by_role("button", name="Sign in the wallet")).to_be_disabled()
        visit.page.reload()
        visit.page.get_by_role("button", name="Connect Fox").click()
        under = visit.page.locator(".under-way")
        expect(under).to_contain_text("Under way: Buy 1 ENERGY")
        fill(visit, "buy", amount="1")
        expect(visit.page.get_by_role("button", name="Sign in the wallet")).to_be_disabled()
        ground.world.mine()
    expect(under.locator(".tx")).to_have_attribute("data-state", "mined")
    assert len(wallet.sent) == count + 1


def test_a_request_whose_end_nobody_saw_is_gone_on_with(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    world, page = ground.world, visit.page
    fill(visit, "hatch", beast="")
    sign(visit, "Allow the hatch to burn 0.1 ENERGY")
    expect(page.locator(".past li")).to_have_count(1)
    with nothing_mined(world.rpc):
        sign(visit, "Request a beast")
        expect(state(visit)).to_have_attribute("data-state", "pending")
        page.reload()
        page.get_by_role("button", name="Connect Fox").click()
        under = page.locator(".under-way")
        expect(under).to_contain_text("Under way: Request a beast")
        world.mine()
    beast = world.beasts.functions.lastBeastId().call()
    link = under.get_by_role("link", name=f"Hatch beast {beast}")
    expect(link).to_have_attribute("href", f"#/act/hatch?beast={beast}")
    page.reload()  # and what this browser remembered is gone
    page.get_by_role("button", name="Connect Fox").click()
    acts_as(visit, ground.ours)
    world.mine()
    ask = page.get_by_role("button", name="See what it does")
    ask.click()
    expect(term(visit, "Not hatched yet")).to_have_text(f"beast {beast}, which you have requested")
    sign(visit, f"Hatch beast {beast}")
    expect(outcome(visit)).to_have_text(f"Beast {beast} has hatched. Beast {beast}")
    ask.click()
    expect(page.locator(".review h2")).to_have_text("Allow the hatch to burn 0.1 ENERGY")


def test_a_wallet_that_does_not_answer_holds_up_nothing_else(
    visit: Tab, wallet: Wallet, ground: Ground
) -> None:
    page = visit.page
    wallet.silent = True
    visit.page.evaluate("location.hash = '#/act/claim'")
    panel = page.locator(".wallet")
    expect(panel).to_contain_text("Waiting for Fox")
    expect(page.locator("main .view:not([aria-busy])")).to_be_visible()
    ground.world.mine()
    number = ground.world.w3.eth.block_number
    expect(page.locator("#status")).to_contain_text(f"block {number}")
    panel.get_by_role("button", name="Leave").click()
    expect(panel.get_by_role("button", name="Connect Fox")).to_be_visible()
    wallet.silent = False


def test_on_a_phone_nothing_moves_when_a_plan_appears(visit: Tab, ground: Ground) -> None:
    """Counted like every other view, and also what moves right after a touch; read by everybody."""
    page = visit.page
    page.set_viewport_size(NARROW)
    page.add_init_script(SHIFTS.replace("if (!entry.hadRecentInput)", ""))
    page.goto("about:blank")
    visit.go("#/act/challenge")
    page.get_by_role("button", name="Connect Fox").click()
    acts_as(visit, ground.ours)
    fill(visit, "challenge", beast=1, opponent=2)
    expect(page.locator(".review")).to_be_visible()
    assert page.evaluate("window.shifted") <= MOST_SHIFT
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.evaluate(axe())
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page, *RULES_OF_COLOUR) == [], "dark"
    page.emulate_media(color_scheme="light", forced_colors="active")
    assert faults(page, *RULES_OF_COLOUR) == [], "forced colours"
