// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Protocol} from "./Protocol.sol";
import {Log, VM} from "./Vm.sol";

/// @title ENERGY as ERC-20 has it, for any accounts and amounts
contract Erc20 is Protocol {
    IERC20 private immutable _token;

    constructor() {
        _token = energy;
    }

    function testFuzz_transfer_movesTheAmountAndNothingElse(
        address from,
        address to,
        uint128 held,
        uint128 sent
    ) external {
        if (!_sound(from) || !_sound(to)) return;
        _give(from, held);
        (uint256 supply, uint256 before, uint256 other) = (
            _token.totalSupply(),
            _token.balanceOf(from),
            _token.balanceOf(to)
        );
        VM.recordLogs();
        VM.prank(from);
        (bool ok, bytes memory answer) = address(_token).call(abi.encodeCall(IERC20.transfer, (to, sent)));
        require(ok == (sent <= before), "a transfer succeeds exactly if the balance suffices");
        require(_token.totalSupply() == supply, "a transfer leaves the supply alone");
        if (!ok) return;
        require(abi.decode(answer, (bool)), "a transfer that succeeds says so");
        if (from == to) require(_token.balanceOf(to) == before, "a transfer to oneself changes nothing");
        else {
            require(_token.balanceOf(from) == before - sent, "the sender has that much less");
            require(_token.balanceOf(to) == other + sent, "the receiver has that much more");
        }
        _requireEvent(IERC20.Transfer.selector, from, to, sent);
    }

    function testFuzz_transferFrom_takesNoMoreThanAllowed(
        address from,
        address to,
        uint128 allowed,
        uint128 sent
    ) external {
        if (!_sound(from) || !_sound(to) || from == address(this)) return;
        _give(from, sent);
        VM.prank(from);
        require(_token.approve(address(this), allowed), "an approval says so");
        require(_token.allowance(from, address(this)) == allowed, "what is approved is allowed");
        (uint256 before, uint256 other) = (_token.balanceOf(from), _token.balanceOf(to));
        (bool ok, ) = address(_token).call(abi.encodeCall(IERC20.transferFrom, (from, to, sent)));
        require(ok == (sent <= allowed), "exactly what is allowed can be taken");
        uint256 taken = ok ? sent : 0;
        require(_token.allowance(from, address(this)) == allowed - taken, "what is taken is allowed no more");
        if (from == to) return;
        require(_token.balanceOf(from) == before - taken, "the owner has that much less");
        require(_token.balanceOf(to) == other + taken, "the receiver has that much more");
    }

    function testFuzz_transferFrom_withoutBound_leavesTheAllowance(address from, uint128 sent) external {
        if (!_sound(from) || from == address(this)) return;
        _give(from, sent);
        VM.prank(from);
        _token.approve(address(this), type(uint256).max);
        _token.transferFrom(from, TREASURY, sent);
        require(_token.allowance(from, address(this)) == type(uint256).max, "without bound stays so");
    }

    function testFuzz_approve_replacesWhatWasAllowed(
        address owner,
        address spender,
        uint256 one,
        uint256 two
    ) external {
        if (!_sound(owner) || spender == address(0)) return;
        VM.prank(owner);
        _token.approve(spender, one);
        VM.recordLogs();
        VM.prank(owner);
        _token.approve(spender, two);
        require(_token.allowance(owner, spender) == two, "the last approval counts");
        _requireEvent(IERC20.Approval.selector, owner, spender, two);
    }

    function testFuzz_nobody_neitherReceivesNorIsAllowed(address from, uint128 amount) external {
        if (!_sound(from)) return;
        _give(from, amount);
        VM.prank(from);
        (bool sent, ) = address(_token).call(abi.encodeCall(IERC20.transfer, (address(0), amount)));
        VM.prank(from);
        (bool approved, ) = address(_token).call(abi.encodeCall(IERC20.approve, (address(0), amount)));
        require(!sent && !approved, "the zero address is nobody");
    }

    function testFuzz_burn_endsTheSupply(address from, uint128 held, uint128 burned) external {
        if (!_sound(from)) return;
        _give(from, held);
        (uint256 supply, uint256 before) = (_token.totalSupply(), _token.balanceOf(from));
        VM.prank(from);
        (bool ok, ) = address(energy).call(abi.encodeCall(energy.burn, (burned)));
        require(ok == (burned <= before), "a burn succeeds exactly if the balance suffices");
        uint256 gone = ok ? burned : 0;
        require(_token.balanceOf(from) == before - gone, "the owner has that much less");
        require(_token.totalSupply() == supply - gone, "there is that much less");
    }

    function testFuzz_burnFrom_takesNoMoreThanAllowed(address from, uint128 allowed, uint128 burned) external {
        if (!_sound(from) || from == address(this)) return;
        _give(from, burned);
        VM.prank(from);
        _token.approve(address(this), allowed);
        (bool ok, ) = address(energy).call(abi.encodeCall(energy.burnFrom, (from, burned)));
        require(ok == (burned <= allowed), "exactly what is allowed can be burned");
        require(_token.allowance(from, address(this)) == allowed - (ok ? burned : 0), "and is allowed no more");
    }

    function testFuzz_mint_byAStranger_reverts(address stranger, address to, uint128 amount) external {
        if (!_sound(stranger) || stranger == address(this) || stranger == address(sale) || stranger == address(arena))
            return;
        uint256 supply = _token.totalSupply();
        VM.prank(stranger);
        (bool ok, ) = address(energy).call(abi.encodeCall(energy.mint, (to, amount)));
        require(!ok && _token.totalSupply() == supply, "only minters mint");
    }

    /// @dev The zero address holds nothing, and Forge's own address cannot be pranked.
    function _sound(address account) private pure returns (bool) {
        return account != address(0) && account != address(VM);
    }

    function _give(address to, uint256 amount) private {
        uint256 supply = _token.totalSupply();
        energy.mint(to, amount);
        require(_token.totalSupply() == supply + amount, "what is minted is in being");
    }

    function _requireEvent(bytes32 topic, address one, address other, uint256 amount) private {
        Log[] memory logs = VM.getRecordedLogs();
        require(logs.length == 1 && logs[0].emitter == address(_token), "one event");
        require(logs[0].topics[0] == topic, "of its kind");
        bytes32[] memory topics = logs[0].topics;
        require(address(uint160(uint256(topics[1]))) == one, "from whom");
        require(address(uint160(uint256(topics[2]))) == other, "to whom");
        require(abi.decode(logs[0].data, (uint256)) == amount, "how much");
    }
}
