// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICheckpointLedger} from "./interfaces/ICheckpointLedger.sol";
import {IDisputeVault} from "./interfaces/IDisputeVault.sol";
import {BondEnd, OpeningBond, Payees, StakeReward} from "./types/DisputeTypes.sol";
import {Head} from "./types/CheckpointTypes.sol";

/// @title The native coin of disputes
/// @dev The interface carries the rest of the documentation.
contract DisputeVault is IDisputeVault {
    uint256 private constant MAX_BPS = 10_000;
    uint256 private constant WINDOW_STEPS = 128;
    /// @dev The base fee may rise fourfold between a filing and its openings before the trainer bears a part.
    uint256 private constant FEE_HEADROOM = 4;
    /// @dev The n-th open dispute of a beast asks for n opening bonds, up to this: a flood of false ones ties up a lot, and
    /// what a cheat's decoys can make an honest filer tie up has an end.
    uint256 private constant MAX_MULTIPLE = 8;
    /// @dev Nobody's address: what goes there is out of reach for ever.
    address payable private constant BURN = payable(0x000000000000000000000000000000000000dEaD);

    /// @dev Of one trainer on one beast. `debt` is Σ paid of its open disputes, `pot` the part of it that slashed stakes
    /// have been set aside for.
    struct Account {
        uint128 debt;
        uint128 pot;
        uint32 slashings;
    }

    /// @dev The committed steps of one account in one dispute, and what of their pay it has claimed.
    struct Share {
        uint8 steps;
        bool energyClaimed;
        bool coinClaimed;
    }

    /// @dev All committed steps of one dispute, and what they share.
    struct Pool {
        uint8 steps;
        uint128 energy;
        uint128 coin;
    }

    /// @inheritdoc IDisputeVault
    ICheckpointLedger public immutable ledger;
    uint256 private immutable _referenceFee;

    /// @inheritdoc IDisputeVault
    mapping(address account => uint256) public creditOf;
    /// @inheritdoc IDisputeVault
    mapping(uint256 beastId => uint256) public openDisputesOf;
    mapping(uint256 disputeId => OpeningBond) private _bonds;
    mapping(uint256 beastId => mapping(address trainer => Account)) private _accounts;
    mapping(uint256 beastId => mapping(address trainer => StakeReward)) private _rewards;
    mapping(uint256 disputeId => Pool) private _pools;
    mapping(uint256 disputeId => mapping(address account => Share)) private _shares;

    constructor(ICheckpointLedger ledger_, uint256 referenceFee_) {
        ledger = ledger_;
        _referenceFee = referenceFee_;
    }

    modifier onlyCourt() {
        if (msg.sender != address(ledger.court())) revert OnlyCourt(msg.sender);
        _;
    }

    modifier onlyLedger() {
        if (msg.sender != address(ledger)) revert OnlyLedger(msg.sender);
        _;
    }

    // --- opening bonds ----------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeVault
    function lock(
        uint256 disputeId,
        uint256 beastId,
        address trainer,
        address filer,
        uint256 gasOwed
    ) external payable onlyCourt {
        // INVARIANT P38: what openings cost stands in native coin before anybody has to make them.
        uint256 base = gasOwed * FEE_HEADROOM * _fee();
        uint256 multiple = ++openDisputesOf[beastId];
        uint256 required = base * (multiple < MAX_MULTIPLE ? multiple : MAX_MULTIPLE);
        if (msg.value < required) revert OpeningBondTooSmall(required, msg.value);
        OpeningBond storage b = _bonds[disputeId];
        b.base = _fits(base);
        b.surplus = _fits(required - base);
        b.slashings = _accounts[beastId][trainer].slashings;
        emit OpeningBondLocked(disputeId, filer, trainer, base, required - base);
        _credit(filer, msg.value - required);
    }

    /// @inheritdoc IDisputeVault
    function pay(
        uint256 disputeId,
        uint256 beastId,
        address trainer,
        uint256 amount,
        uint256 reserve
    ) external onlyCourt {
        OpeningBond storage b = _bonds[disputeId];
        uint256 left = uint256(b.base) + b.surplus - b.paid - b.waiting;
        if (amount > left) amount = left;
        // INVARIANT P39: a trainer is paid at once only what its stake can repay beside the reserve, so a filer is made whole
        // whenever the checkpoint falls, and a cheat who disputes himself takes nothing out of what would burn or reward.
        Account storage a = _accounts[beastId][trainer];
        uint256 stake = ledger.stakeOf(beastId, trainer).amount;
        uint256 owed = uint256(a.debt) - a.pot + reserve;
        // After a slashing the pot holds what older disputes had paid until then, and no more: they pay nothing at once while
        // it holds anything. The pot is looked at first, since it costs no slot of its own.
        bool older = a.pot != 0 && a.slashings != b.slashings;
        uint256 room = stake > owed && !older ? stake - owed : 0;
        uint256 paid = amount < room ? amount : room;
        b.paid += uint128(paid);
        b.waiting += uint128(amount - paid);
        a.debt += uint128(paid);
        emit OpeningPaid(disputeId, trainer, paid, amount - paid);
        _credit(trainer, paid);
    }

    /// @inheritdoc IDisputeVault
    function release(
        uint256 disputeId,
        uint256 beastId,
        address trainer,
        address filer,
        BondEnd end
    ) external onlyCourt {
        OpeningBond memory b = _bonds[disputeId];
        delete _bonds[disputeId];
        --openDisputesOf[beastId];
        Account storage a = _accounts[beastId][trainer];
        bool slashed = a.slashings != b.slashings;
        if (end == BondEnd.VOID && slashed) end = BondEnd.RETURN;
        a.debt -= b.paid;
        // What a slashed stake has set aside for this dispute.
        uint128 repaid = slashed ? (b.paid < a.pot ? b.paid : a.pot) : 0;
        a.pot -= repaid;
        uint256 kept = b.paid;
        uint256 returned = uint256(b.base) + b.surplus - kept;
        uint256 burned = 0;
        if (end == BondEnd.RETURN) {
            returned += repaid;
        } else {
            kept += b.waiting;
            returned -= b.waiting;
            burned = repaid;
            if (end == BondEnd.KEEP) {
                // INVARIANT P38: openings are paid out of the base first, and of what is left of the surplus as much burns: a
                // flood costs twice what it makes others open, and a cheat's decoys make a doubt no dearer than that.
                uint256 surplus = returned - (kept < b.base ? b.base - kept : 0);
                uint256 again = surplus < kept ? surplus : kept;
                burned += again;
                returned -= again;
            }
            _credit(trainer, b.waiting);
        }
        emit OpeningBondReleased(disputeId, filer, end, returned, kept, burned);
        _credit(filer, returned);
        _burn(burned);
    }

    /// @inheritdoc IDisputeVault
    function refund(address account) external payable onlyCourt {
        _credit(account, msg.value);
    }

    // --- slashed stakes ---------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeVault
    function takeStake(
        uint256 beastId,
        address trainer,
        uint32 index,
        Payees calldata payees,
        uint16 filingBps,
        uint16 proofBps
    ) external payable onlyLedger {
        Account storage a = _accounts[beastId][trainer];
        // INVARIANT P40: filers who paid for the trainer's openings are repaid before anybody is rewarded.
        uint256 debts = uint256(a.debt) - a.pot;
        if (debts > msg.value) debts = msg.value;
        a.pot += uint128(debts);
        ++a.slashings;
        uint256 rest = msg.value - debts;
        uint256 filing = (rest * filingBps) / MAX_BPS;
        uint256 proof = (rest * proofBps) / MAX_BPS;
        // What is not shared burns: at least half, by the registry's bound on the two shares.
        uint256 burned = rest - filing - proof;
        uint256 carried = _takeOver(beastId, trainer);
        if (carried != 0) {
            uint256 part = (carried * filingBps) / (uint256(filingBps) + proofBps);
            filing += part;
            proof += carried - part;
        }
        if (payees.filer == address(0)) {
            burned += filing;
            filing = 0;
        }
        if (payees.prover == address(0)) {
            uint256 earned = (proof * payees.steps) / WINDOW_STEPS;
            burned += proof - earned;
            proof = earned;
        }
        StakeReward memory held = StakeReward({
            index: index,
            disputeId: uint64(payees.disputeId),
            filing: _small(filing),
            proof: _small(proof),
            filer: payees.filer,
            prover: payees.prover,
            gasCap: payees.gasCap
        });
        if (filing + proof != 0) _rewards[beastId][trainer] = held;
        emit StakeTaken(beastId, trainer, msg.value, debts, burned, held);
        _burn(burned);
    }

    /// @dev INVARIANT P41: who convicts an earlier window takes over what a later conviction has out of the same stake, so a
    /// cheat cannot rescue the stake by convicting itself where it costs least. The first convictor is paid its gas.
    function _takeOver(uint256 beastId, address trainer) private returns (uint256 carried) {
        StakeReward memory old = _rewards[beastId][trainer];
        carried = uint256(old.filing) + old.proof;
        if (carried == 0) return 0;
        delete _rewards[beastId][trainer];
        uint256 gasPaid = uint256(old.gasCap) * _fee();
        if (gasPaid > old.proof) gasPaid = old.proof;
        address to = old.prover == address(0) ? old.filer : old.prover;
        carried -= gasPaid;
        emit RewardTakenOver(beastId, trainer, to, gasPaid);
        _credit(to, gasPaid);
    }

    /// @inheritdoc IDisputeVault
    function settleReward(uint256 beastId, address trainer) external {
        StakeReward memory held = _rewards[beastId][trainer];
        if (uint256(held.filing) + held.proof == 0) revert NoReward(beastId, trainer);
        // INVARIANT P42: a reward is due once no window below the convicted one can fall any more. After another slashing the
        // head is lower than that, and so is the bound.
        Head memory h = ledger.head(beastId);
        uint32 needed = held.index < h.headCount ? held.index : h.headCount;
        if (h.finalCount < needed) revert RewardNotDue(beastId, h.finalCount, needed);
        delete _rewards[beastId][trainer];
        emit RewardSettled(beastId, trainer, held);
        _credit(held.filer, held.filing);
        if (held.prover != address(0)) {
            _credit(held.prover, held.proof);
        } else if (held.proof != 0) {
            _pools[held.disputeId].coin = held.proof;
            emit StepPoolFilled(held.disputeId, 0, held.proof);
        }
    }

    // --- pay for steps ----------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeVault
    function countSteps(uint256 disputeId, address account, uint8 steps) external onlyCourt {
        _shares[disputeId][account].steps += steps;
        _pools[disputeId].steps += steps;
        emit StepsCounted(disputeId, account, steps);
    }

    /// @inheritdoc IDisputeVault
    function fillEnergy(uint256 disputeId, uint256 energy) external onlyLedger {
        _pools[disputeId].energy = _small(energy);
        emit StepPoolFilled(disputeId, energy, 0);
    }

    /// @inheritdoc IDisputeVault
    function claimSteps(uint256 disputeId) external {
        Pool memory pool = _pools[disputeId];
        Share storage share = _shares[disputeId][msg.sender];
        uint256 energy = 0;
        uint256 coin = 0;
        if (!share.energyClaimed && pool.energy != 0) {
            energy = (uint256(pool.energy) * share.steps) / pool.steps;
            share.energyClaimed = true;
        }
        if (!share.coinClaimed && pool.coin != 0) {
            coin = (uint256(pool.coin) * share.steps) / pool.steps;
            share.coinClaimed = true;
        }
        if (energy + coin == 0) revert NothingToClaim(disputeId, msg.sender);
        emit StepsClaimed(disputeId, msg.sender, energy, coin);
        _credit(msg.sender, coin);
        if (energy != 0) ledger.moveEscrow(msg.sender, energy);
    }

    // --- credits ----------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeVault
    function withdrawCredit(address payable to) external {
        uint256 amount = creditOf[msg.sender];
        if (amount == 0) revert NoCredit(msg.sender);
        // INVARIANT P43: a credit is gone before its coin leaves, so that no receiver is paid twice.
        creditOf[msg.sender] = 0;
        emit CreditWithdrawn(msg.sender, to, amount);
        (bool sent, ) = to.call{value: amount}("");
        if (!sent) revert TransferRefused(to);
    }

    // --- views ------------------------------------------------------------------------------------------------

    /// @inheritdoc IDisputeVault
    function bondOf(uint256 disputeId) external view returns (OpeningBond memory) {
        return _bonds[disputeId];
    }

    /// @inheritdoc IDisputeVault
    function rewardOf(uint256 beastId, address trainer) external view returns (StakeReward memory) {
        return _rewards[beastId][trainer];
    }

    /// @inheritdoc IDisputeVault
    function holdsReward(uint256 beastId, address trainer) external view returns (bool) {
        StakeReward storage held = _rewards[beastId][trainer];
        return uint256(held.filing) + held.proof != 0;
    }

    /// @inheritdoc IDisputeVault
    function debtOf(uint256 beastId, address trainer) external view returns (uint256) {
        return _accounts[beastId][trainer].debt;
    }

    /// @inheritdoc IDisputeVault
    function quote(uint256 beastId, uint256 gasOwed) external view returns (uint256) {
        uint256 multiple = openDisputesOf[beastId] + 1;
        return gasOwed * FEE_HEADROOM * _fee() * (multiple < MAX_MULTIPLE ? multiple : MAX_MULTIPLE);
    }

    /// @inheritdoc IDisputeVault
    function stepsOf(uint256 disputeId, address account) external view returns (uint256) {
        return _shares[disputeId][account].steps;
    }

    /// @inheritdoc IDisputeVault
    function countedSteps(uint256 disputeId) external view returns (uint8) {
        return _pools[disputeId].steps;
    }

    // --- small things -----------------------------------------------------------------------------------------

    function _credit(address account, uint256 amount) private {
        if (amount == 0) return;
        creditOf[account] += amount;
        emit Credited(account, amount);
    }

    function _burn(uint256 amount) private {
        if (amount == 0) return;
        (bool sent, ) = BURN.call{value: amount}("");
        if (!sent) revert TransferRefused(BURN);
    }

    function _fee() private view returns (uint256) {
        return block.basefee > _referenceFee ? block.basefee : _referenceFee;
    }

    function _fits(uint256 amount) private pure returns (uint96) {
        if (amount > type(uint96).max) revert AmountTooLarge(amount);
        return uint96(amount);
    }

    function _small(uint256 amount) private pure returns (uint128) {
        if (amount > type(uint128).max) revert AmountTooLarge(amount);
        return uint128(amount);
    }
}
