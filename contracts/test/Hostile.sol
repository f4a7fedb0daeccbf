// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IBeasts} from "../interfaces/IBeasts.sol";
import {IEnergyEscrow} from "../interfaces/IEnergyEscrow.sol";

/// @title For tests: requests a beast and, when it arrives, tries to hatch it again
contract HostileReceiver is IERC721Receiver {
    bytes public refusal;
    bool public trainerAtArrival;

    function requestHatch(IBeasts beasts) external {
        beasts.energy().approve(address(beasts), type(uint256).max);
        beasts.requestHatch(0, 0, 0, 0);
    }

    function onERC721Received(address, address, uint256 beastId, bytes calldata) external returns (bytes4) {
        IBeasts beasts = IBeasts(msg.sender);
        try beasts.hatch(beastId) {} catch (bytes memory reason) {
            refusal = reason;
        }
        beasts.setTrainer(beastId, tx.origin, true);
        trainerAtArrival = beasts.isTrainer(beastId, tx.origin);
        return this.onERC721Received.selector;
    }
}

/// @title For tests: a token that calls an escrow back whenever tokens move
/// @dev Withdraws the same amount again while the first transfer is still under way.
contract HostileToken is ERC20 {
    IEnergyEscrow public escrow;
    bytes public refusal;
    bool private _entered;

    constructor() ERC20("Hostile", "HOSTILE") {}

    function aim(IEnergyEscrow target) external {
        escrow = target;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @dev Puts `amount` into the escrow in this contract's own name.
    function stake(uint256 amount) external {
        _mint(address(this), amount);
        _approve(address(this), address(escrow), amount);
        escrow.deposit(amount);
    }

    function unstake(uint256 amount) external {
        escrow.withdraw(amount, address(this));
    }

    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (address(escrow) == address(0) || _entered || from == address(0)) return;
        _entered = true;
        try escrow.withdraw(amount, address(this)) {} catch (bytes memory reason) {
            refusal = reason;
        }
        _entered = false;
    }
}

/// @title For tests: an account with code that calls back when it is paid, or refuses the coin
contract HostilePayee {
    bytes public refusal;
    uint256 public payments;
    bool public refuses;
    address private _target;
    bytes private _onPayment;
    uint256 private _value;

    error Refused();

    function refuse() external {
        refuses = true;
    }

    /// @param onPayment what to call `target` with whenever coin arrives
    /// @param value wei to send along
    function aim(address target, bytes calldata onPayment, uint256 value) external {
        (_target, _onPayment, _value) = (target, onPayment, value);
    }

    /// @dev Calls `to` in this contract's own name, and fails as that fails.
    function act(address to, bytes calldata data) external payable {
        (bool done, bytes memory answer) = to.call{value: msg.value}(data);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    receive() external payable {
        if (refuses) revert Refused();
        ++payments;
        if (_onPayment.length == 0) return;
        (bool done, bytes memory answer) = _target.call{value: _value}(_onPayment);
        if (!done) refusal = answer;
    }
}
