"""Reads the chain through one node: structs as dataclasses, events in ranges.

Sends nothing; see transactions. How a call is read is in reading, its contract from contracts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from eth_typing import BlockNumber, ChecksumAddress, HexStr
from hexbytes import HexBytes
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import Web3RPCError
from web3.types import BlockIdentifier, FilterParams, LogReceipt, RPCEndpoint, TxParams

from chainbeasts.backend.chain.contracts import Contracts
from chainbeasts.backend.chain.errors import (
    NodeUnavailableError,
    NotThereError,
)
from chainbeasts.backend.chain.events import Event, EventDecoder, RawLog, mined_logs
from chainbeasts.backend.chain.reading import (
    READ_ATTEMPTS,
    TRANSPORT_ERRORS,
    check_chain,
    check_open,
    connect,
    read,
    revert_from,
)
from chainbeasts.backend.chain.types import (
    NO_OPEN_CHALLENGE,
    Birth,
    Checkpoint,
    CheckpointStatus,
    Commitments,
    Dispute,
    EpochRecord,
    FilingQuote,
    HatchRequest,
    Head,
    Limits,
    Match,
    OpenChallenge,
    OpeningBond,
    Publication,
    Season,
    Stake,
    StakeReward,
    Standing,
)
from chainbeasts.backend.chain.views import Block, as_json, eth_call, read_block
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.window import WindowContext
from chainbeasts.backend.redact import redact_url

__all__ = [
    "EVENT_CONTRACTS",
    "READ_ATTEMPTS",
    "TRANSPORT_ERRORS",
    "Block",
    "Chain",
    "check_chain",
    "check_open",
    "connect",
    "read",
    "revert_from",
]

EVENT_CONTRACTS = (
    "TimelockController",
    "SeasonRegistry",
    "EnergySale",
    "Beasts",
    "StateArchive",
    "RecordArchive",
    "CheckpointLedger",
    "DisputeVault",
    "DisputeCourt",
    "Arena",
)


class Chain(Contracts):
    """A deployment, read through a node."""

    @cached_property
    def _decoder(self) -> EventDecoder:
        return EventDecoder(dict(zip(EVENT_CONTRACTS, self.event_addresses, strict=True)))

    # --- blocks and events ----------------------------------------------------------------------

    def block(self, which: BlockIdentifier = "latest") -> Block:
        """A block's header.

        Raises:
            NotThereError: the node does not have it.
        """
        try:
            return self.read(lambda: read_block(self.w3, which))
        except NotThereError:
            raise NotThereError(f"The node does not have block {which!r}.") from None

    def now(self) -> int:
        """The latest block's timestamp, the contracts' clock."""
        return self.block().timestamp

    def base_fee(self) -> int:
        """The latest block's base fee, wei per gas.

        Raises:
            NodeUnavailableError: the node leaves it out, which no fee can be reckoned from.
        """
        fee = self.block().base_fee
        if fee is None:
            raise NodeUnavailableError(
                f"The node at {redact_url(self.rpc_url)} gave a block without a base fee.",
                "Use a node of a chain with EIP-1559 fees.",
            )
        return fee

    def events(self, from_block: int, to_block: int, attempts: int = READ_ATTEMPTS) -> list[Event]:
        """Our contracts' events of a block range, both ends included, in chain order.

        Args:
            attempts: how often to ask while the transport fails.

        Raises:
            NodeUnavailableError: no answer (the range may be too large for one).
            ChainError: the node refuses the range (too large, perhaps).
        """
        wanted: FilterParams = {"fromBlock": BlockNumber(from_block)}
        wanted["toBlock"] = BlockNumber(to_block)
        # What was not asked for is not looked at: it comes with a range of its own.
        asked = range(from_block, to_block + 1)
        return [one for one in self._events(wanted, attempts) if one.block_number in asked]

    def events_of(self, block_hash: bytes) -> list[Event]:
        """Our contracts' events of one block, whichever chain it is on.

        Raises:
            ChainError: the node does not know the block.
        """
        found = self._events({"blockHash": HexBytes(block_hash)}, READ_ATTEMPTS)
        return [event for event in found if event.raw.block_hash == block_hash]

    def events_in_receipts(self, block_hash: bytes) -> list[Event]:
        """The same out of the block's receipts, which nodes keep apart from their index of logs.

        Raises:
            NotThereError: the node does not know the block.
            ChainError: it does not serve receipts of blocks.
        """
        receipts = self.read(lambda: self.w3.eth.get_block_receipts(HexBytes(block_hash)))
        found = self._decoded(log for receipt in receipts for log in receipt["logs"])
        return [event for event in found if event.raw.block_hash == block_hash]

    @cached_property
    def event_addresses(self) -> list[ChecksumAddress]:
        """The contracts whose events are read."""
        found = self.deployment.addresses
        return [Web3.to_checksum_address(found[name]) for name in EVENT_CONTRACTS]

    @property
    def event_sources(self) -> list[tuple[str, bytes]]:
        """The same contracts, each with the first topic of one of its events."""
        return self._decoder.sources

    def _events(self, wanted: FilterParams, attempts: int) -> list[Event]:
        wanted["address"] = self.event_addresses
        # Not through web3's formatters: they take as long for a log as a replay for its window.
        params = {name: as_json(value) for name, value in wanted.items()}
        logs = read(lambda: self._ask("eth_getLogs", params), self.rpc_url, attempts)
        ours = {address.lower() for address in self.event_addresses}
        mined = mined_logs(
            (one for one in logs if one["address"].lower() in ours), RawLog.from_json
        )
        return self._known(mined)

    def _ask(self, method: str, *params: Any) -> Any:
        """The result of a call as the node gave it; its shape has been looked at."""
        answer = self.w3.provider.make_request(RPCEndpoint(method), list(params))
        if "error" in answer:
            error: Any = answer["error"]
            raise Web3RPCError(str(error["message"]), rpc_response=answer)
        return answer["result"]

    def _decoded(self, logs: Iterable[LogReceipt]) -> list[Event]:
        ours = set(self.event_addresses)
        return self._known(mined_logs(log for log in logs if log["address"] in ours))

    def _known(self, logs: Iterable[RawLog]) -> list[Event]:
        return [event for event in map(self.decode, logs) if event is not None]

    def decode(self, log: RawLog) -> Event | None:
        """The event of a stored log; None if it is not one of ours."""
        return self._decoder.decode(log)

    # --- beasts, checkpoints, disputes ----------------------------------------------------------

    def beast_count(self) -> int:
        """Ids handed out so far."""
        return int(self.call(self.beasts.functions.lastBeastId()))

    def birth(self, beast_id: int) -> Birth:
        return Birth.from_abi(self.call(self.beasts.functions.birthOf(beast_id)))

    def owner_of(self, beast_id: int) -> str:
        return str(self.call(self.beasts.functions.ownerOf(beast_id)))

    def ownership_nonce(self, beast_id: int) -> int:
        """Transfers of a beast so far."""
        return int(self.call(self.beasts.functions.ownershipNonceOf(beast_id)))

    def hatch_request(self, beast_id: int) -> HatchRequest:
        return HatchRequest.from_abi(self.call(self.beasts.functions.requestOf(beast_id)))

    def commitments(self, beast_id: int) -> Commitments:
        return Commitments.from_abi(self.call(self.beasts.functions.commitmentsOf(beast_id)))

    def is_trainer(self, beast_id: int, account: str) -> bool:
        return bool(self.call(self.beasts.functions.isTrainer(beast_id, account)))

    def head(self, beast_id: int) -> Head:
        return Head.from_abi(self.call(self.ledger.functions.head(beast_id)))

    def epoch(self, beast_id: int, epoch: int) -> EpochRecord:
        return EpochRecord.from_abi(self.call(self.ledger.functions.epochOf(beast_id, epoch)))

    def season(self, number: int) -> Season:
        return Season.from_abi(self.call(self.seasons.functions.season(number)))

    def current_season(self) -> int:
        return int(self.call(self.seasons.functions.currentSeason()))

    def effective_season(self) -> int:
        """The season in force in the latest block."""
        return int(self.call(self.seasons.functions.effectiveSeason()))

    def limits(self) -> Limits:
        """What no season of the deployment may fall below."""
        return Limits.from_abi(self.call(self.seasons.functions.limits()))

    def quote(self, beast_id: int, active_mask: int) -> tuple[int, int]:
        """(energyBurn, bond) of the next window, wei of ENERGY."""
        burn, bond = self.call(self.ledger.functions.quote(beast_id, active_mask))
        return int(burn), int(bond)

    def escrow_of(
        self, account: str, escrow: Contract | None = None, block: BlockIdentifier = "latest"
    ) -> int:
        """What an account has in an escrow, the ledger's or the arena's; the ledger's if None."""
        holder = self.ledger if escrow is None else escrow
        return int(self.call(holder.functions.escrowOf(account), block))

    def energy_of(self, account: str) -> int:
        return int(self.call(self.energy.functions.balanceOf(account)))

    def coin_of(self, account: str) -> int:
        """An account's native coin, wei."""
        address = Web3.to_checksum_address(account)
        return int(self.read(lambda: self.w3.eth.get_balance(address)))

    def has_code(self, address: str) -> bool:
        """Whether a contract stands at an address."""
        at = Web3.to_checksum_address(address)
        return bool(self.read(lambda: self.w3.eth.get_code(at)))

    def sender_of(self, tx_hash: bytes) -> str:
        """Who signed a mined transaction.

        Raises:
            NotThereError: the node does not know it.
        """
        found = self.read(lambda: self.w3.eth.get_transaction(HexBytes(tx_hash)))
        return str(found["from"])

    def digest(self, beast_id: int, checkpoint: Checkpoint) -> bytes:
        return bytes(self.call(self.ledger.functions.digestOf(beast_id, checkpoint.to_abi())))

    def is_live(self, beast_id: int, checkpoint: Checkpoint) -> bool:
        return bool(self.call(self.ledger.functions.isLive(beast_id, checkpoint.to_abi())))

    def status(self, beast_id: int, checkpoint: Checkpoint) -> CheckpointStatus:
        function = self.ledger.functions.statusOf(beast_id, checkpoint.to_abi())
        return CheckpointStatus(self.call(function))

    def standing(self, digest: bytes) -> Standing:
        return Standing.from_abi(self.call(self.ledger.functions.standingOf(digest)))

    def dispute(self, dispute_id: int) -> Dispute:
        return Dispute.from_abi(self.call(self.court.functions.dispute(dispute_id)))

    def filing_quote(self, beast_id: int, checkpoint: Checkpoint) -> FilingQuote:
        """What filing over a checkpoint would ask for in the latest block.

        Base fee and open disputes move the opening bond until the filing is mined: send more than
        that; what is too much is credited.
        """
        function = self.court.functions.quote(beast_id, checkpoint.to_abi())
        bond, opening_bond, missing = self.call(function)
        return FilingQuote(int(bond), self._at_base_fee(int(opening_bond)), int(missing))

    def _at_base_fee(self, asked: int) -> int:
        """What a contract will ask for, of what it asked for in a call: a multiple of the base fee.

        Many nodes, geth among them, run a call that offers no price at a base fee of 0, at which
        less would be sent than a transaction has to bring.
        """
        reference = self.limits().reference_fee
        seen = max(self._fee_in_calls(), reference)
        return asked * max(self.base_fee(), seen) // seen

    def _fee_in_calls(self) -> int:
        """The base fee that a contract sees in a call: BASEFEE, run as if it created something."""
        program: TxParams = {"data": HexStr("0x4860005260206000f3")}
        return int.from_bytes(self.read(lambda: eth_call(self.w3, program)))

    def committed_in(self, commitment: bytes) -> int:
        """Block of a commitment, 0 if nobody made it."""
        return int(self.call(self.court.functions.committedIn(commitment)))

    def defender_of(self, trainer: str) -> str:
        """Who may open segments for a trainer besides itself; the zero address if nobody."""
        return str(self.call(self.court.functions.defenderOf(trainer)))

    # --- publications ---------------------------------------------------------------------------

    def state_publication(self, state_hash: bytes) -> Publication:
        """Time and cost of a state's publication; false if there is none."""
        function = self.states.functions.publicationOf(state_hash)
        return Publication.from_abi(self.call(function))

    def records_publication(self, beast_id: int, index: int) -> tuple[bytes, Publication]:
        """The hash of a private window's opened words, and their publication; false if none."""
        words_hash, found = self.call(self.records.functions.recordsOf(beast_id, index))
        return bytes(words_hash), Publication.from_abi(found)

    def secret_fold(self, beast_id: int) -> int | None:
        """``fold64(S_owner)`` once the owner's secret is public, else None."""
        revealed, fold = self.call(self.records.functions.foldOf(beast_id))
        return int(fold) if revealed else None

    # --- native coin ----------------------------------------------------------------------------

    def stake_of(self, beast_id: int, trainer: str, block: BlockIdentifier = "latest") -> Stake:
        return Stake.from_abi(self.call(self.ledger.functions.stakeOf(beast_id, trainer), block))

    def required_stake(self, beast_id: int) -> int:
        """The stake that a submission asks for at the latest block's base fee, wei."""
        return self._at_base_fee(int(self.call(self.ledger.functions.requiredStake(beast_id))))

    def credit_of(self, account: str) -> int:
        """What an account can pull from the vault, wei of native coin."""
        return int(self.call(self.vault.functions.creditOf(account)))

    def opening_bond_of(self, dispute_id: int) -> OpeningBond:
        return OpeningBond.from_abi(self.call(self.vault.functions.bondOf(dispute_id)))

    def stake_reward_of(self, beast_id: int, trainer: str) -> StakeReward:
        """The reward held out of a trainer's slashed stake; all zero if there is none."""
        function = self.vault.functions.rewardOf(beast_id, trainer)
        return StakeReward.from_abi(self.call(function))

    # --- matches --------------------------------------------------------------------------------

    def match_count(self) -> int:
        """Ids handed out so far, from 1."""
        return int(self.call(self.arena.functions.matchCount()))

    def match(self, match_id: int) -> Match:
        """A match; its status is NONE if there is no such match."""
        return Match.from_abi(self.call(self.arena.functions.matchOf(match_id)))

    def final_log(self, match_id: int) -> tuple[bytes, int, int]:
        """Root and length of a final match's log, and the second from which it could be final.

        Raises:
            Reverted: the match is not final.
        """
        root, turns, final_at = self.call(self.arena.functions.finalLog(match_id))
        return bytes(root), int(turns), int(final_at)

    def open_challenge(self, beast_id: int) -> OpenChallenge:
        """With whose consent and which state a beast takes on everybody; empty if it does not.

        One that was opened before the beast changed hands is none, also where it came back.
        """
        found = OpenChallenge.from_abi(self.call(self.arena.functions.openChallengeOf(beast_id)))
        return found if found.nonce == self.ownership_nonce(beast_id) else NO_OPEN_CHALLENGE

    def rewards_of(self, account: str) -> int:
        """Rewards that an account can claim, wei of ENERGY."""
        return int(self.call(self.arena.functions.rewardsOf(account)))

    def rewarded_of(self, beast_id: int) -> int:
        """Rewards that were ever credited for a beast, wei of ENERGY."""
        return int(self.call(self.arena.functions.rewardedOf(beast_id)))

    def reward_allowance_of(self, beast_id: int) -> int:
        """What could still be credited for a beast under the season in force, wei of ENERGY."""
        return int(self.call(self.arena.functions.rewardAllowanceOf(beast_id)))

    # --- the money ------------------------------------------------------------------------------

    def energy_price(self) -> int:
        """Wei of native coin that the sale asks for one ENERGY; 0: it is closed."""
        return int(self.call(self.sale.functions.price()))

    def energy_for(self, paid: int) -> int:
        """What the sale gives for ``paid`` wei of native coin; 0 where it is closed."""
        return int(self.call(self.sale.functions.quote(paid)))

    def energy_sold(self) -> int:
        """All the ENERGY that was ever sold, wei."""
        return int(self.call(self.sale.functions.sold()))

    def hatch_cost(self) -> int:
        """What a request to hatch burns under the season in force, wei of ENERGY."""
        return self.season(self.effective_season()).economics.hatch_cost

    def burned_of(self, beast_id: int) -> int:
        """What a beast's own final windows have burned, wei of ENERGY."""
        return int(self.call(self.ledger.functions.burnedOf(beast_id)))

    def window_context(
        self,
        beast_id: int,
        *,
        epoch: int,
        source: Source,
        source_id: int = 0,
        owner_secret_fold: int = 0,
    ) -> WindowContext:
        """What a window of a beast's epoch is computed with, from chain facts alone.

        Args:
            source_id: the match of a BATTLE window.
            owner_secret_fold: ``fold64(S_owner)``, needed for a PRIVATE window only.

        Raises:
            Reverted: that match is not final.
        """
        record = self.epoch(beast_id, epoch)
        season = self.season(record.season)
        private = source is Source.PRIVATE
        commitments = self.commitments(beast_id) if private else Commitments()
        root, length = commitments.records_root, commitments.dataset_length
        if source is Source.BATTLE:
            root, length, _ = self.final_log(source_id)
        return WindowContext(
            dna=self.birth(beast_id).dna,
            epoch_seed=record.epoch_seed,
            heads=season.schedule.heads(epoch),
            lr_shift=season.schedule.lr_shift(epoch),
            source=source,
            rules=season.rules,
            owner_secret_fold=owner_secret_fold if private else 0,
            records_root=root,
            records_length=length,
        )
