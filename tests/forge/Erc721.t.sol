// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {Protocol} from "./Protocol.sol";
import {Log, VM} from "./Vm.sol";

/// @title A receiver that answers what it is told to
contract Receiver is IERC721Receiver {
    bytes4 private immutable _answer;
    address public from;
    bytes public data;

    constructor(bytes4 answer) {
        _answer = answer;
    }

    function onERC721Received(address, address from_, uint256, bytes calldata data_) external returns (bytes4) {
        (from, data) = (from_, data_);
        return _answer;
    }
}

/// @title Beasts as ERC-721 has them, for any accounts
contract Erc721 is Protocol {
    uint256 private constant BEAST = 1;
    bytes4 private constant WITH_DATA = bytes4(keccak256("safeTransferFrom(address,address,uint256,bytes)"));

    IERC721 private immutable _token;
    Receiver private immutable _good = new Receiver(IERC721Receiver.onERC721Received.selector);
    Receiver private immutable _bad = new Receiver(0xdeadbeef);

    constructor() {
        _token = beasts;
    }

    function testFuzz_transfer_movesOneBeastAndEndsItsApproval(address to, address approved) external {
        if (!_sound(to) || approved == address(0)) return;
        address owner = _token.ownerOf(BEAST);
        VM.prank(owner);
        _token.approve(approved, BEAST);
        require(_token.getApproved(BEAST) == approved, "who is approved is named");
        (uint256 mine, uint256 theirs) = (_token.balanceOf(owner), _token.balanceOf(to));
        VM.recordLogs();
        VM.prank(owner);
        _token.transferFrom(owner, to, BEAST);
        Log[] memory logs = VM.getRecordedLogs();
        require(logs.length == 1 && logs[0].topics[0] == IERC721.Transfer.selector, "one event");
        require(uint256(logs[0].topics[3]) == BEAST, "of this beast");
        require(_token.ownerOf(BEAST) == to, "the receiver owns it");
        require(_token.getApproved(BEAST) == address(0), "an approval ends with the ownership");
        if (owner == to) return;
        require(_token.balanceOf(owner) == mine - 1, "the owner has one less");
        require(_token.balanceOf(to) == theirs + 1, "the receiver has one more");
    }

    function testFuzz_transfer_byAStranger_reverts(address stranger, address to) external {
        address owner = _token.ownerOf(BEAST);
        if (stranger == owner || !_sound(stranger)) return;
        require(!_moves(stranger, owner, to, BEAST), "only who owns or is approved moves a beast");
        require(_token.ownerOf(BEAST) == owner, "nothing has moved");
        VM.prank(stranger);
        (bool ok, ) = address(_token).call(abi.encodeCall(IERC721.approve, (stranger, BEAST)));
        require(!ok, "a stranger approves nobody");
    }

    function testFuzz_transfer_byTheApproved_once(address approved, address to) external {
        address owner = _token.ownerOf(BEAST);
        if (!_sound(approved) || !_sound(to) || approved == to || approved == owner || to == owner) return;
        VM.prank(owner);
        _token.approve(approved, BEAST);
        require(_moves(approved, owner, to, BEAST), "who is approved moves it");
        require(!_moves(approved, to, owner, BEAST), "and not a second time");
    }

    function testFuzz_operator_movesAll_untilTakenBack(address operator, address to) external {
        address owner = _token.ownerOf(BEAST);
        if (!_sound(operator) || !_sound(to) || operator == owner || to == owner || operator == to) return;
        require(!_token.isApprovedForAll(owner, operator), "nobody is an operator from the beginning");
        VM.prank(owner);
        _token.setApprovalForAll(operator, true);
        require(_token.isApprovedForAll(owner, operator), "who was made one is");
        require(!_moves(operator, owner, to, BEAST + 1), "the beasts of others stay");
        VM.prank(owner);
        _token.setApprovalForAll(operator, false);
        require(!_moves(operator, owner, to, BEAST), "who was one moves nothing");
        VM.prank(owner);
        _token.setApprovalForAll(operator, true);
        require(_moves(operator, owner, to, BEAST), "who is one moves it");
    }

    function testFuzz_transfer_fromAnotherThanTheOwner_reverts(address from, address to) external {
        address owner = _token.ownerOf(BEAST);
        if (from == owner) return;
        require(!_moves(owner, from, to, BEAST), "a beast comes from its owner alone");
    }

    function test_transfer_toNobody_reverts() external {
        address owner = _token.ownerOf(BEAST);
        require(!_moves(owner, owner, address(0), BEAST), "nobody receives nothing");
    }

    function testFuzz_safeTransfer_asksTheReceiver(bytes calldata data) external {
        address owner = _token.ownerOf(BEAST);
        require(!_sends(owner, address(_bad), data), "who answers wrongly receives nothing");
        require(!_sends(owner, address(_token), data), "nor does a contract that cannot be asked");
        require(_token.ownerOf(BEAST) == owner, "nothing has moved");
        require(_sends(owner, address(_good), data), "who answers rightly receives it");
        require(_token.ownerOf(BEAST) == address(_good), "the receiver owns it");
        require(_good.from() == owner && keccak256(_good.data()) == keccak256(data), "and was told all");
    }

    function testFuzz_unborn_isNobodys(uint256 id) external view {
        if (id != 0 && id <= BEASTS) return;
        (bool owned, ) = address(_token).staticcall(abi.encodeCall(IERC721.ownerOf, (id)));
        (bool asked, ) = address(_token).staticcall(abi.encodeCall(IERC721.getApproved, (id)));
        (bool drawn, ) = address(_token).staticcall(abi.encodeCall(IERC721Metadata.tokenURI, (id)));
        require(!owned && !asked && !drawn, "an unborn beast has no owner, no approval and no portrait");
    }

    function test_nobody_hasNoBalance() external view {
        (bool ok, ) = address(_token).staticcall(abi.encodeCall(IERC721.balanceOf, (address(0))));
        require(!ok, "the zero address is nobody");
    }

    function testFuzz_interfaces(bytes4 other) external view {
        require(_token.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        require(_token.supportsInterface(type(IERC721).interfaceId), "ERC-721");
        require(_token.supportsInterface(type(IERC721Metadata).interfaceId), "its metadata");
        require(!_token.supportsInterface(0xffffffff), "what ERC-165 excludes");
        bool known =
            other == type(IERC165).interfaceId ||
                other == type(IERC721).interfaceId ||
                other == type(IERC721Metadata).interfaceId;
        require(_token.supportsInterface(other) == known, "and no other");
    }

    function _sound(address account) private pure returns (bool) {
        return account != address(0) && account != address(VM);
    }

    function _moves(address sender, address from, address to, uint256 id) private returns (bool ok) {
        VM.prank(sender);
        (ok, ) = address(_token).call(abi.encodeCall(IERC721.transferFrom, (from, to, id)));
    }

    function _sends(address owner, address to, bytes calldata data) private returns (bool ok) {
        VM.prank(owner);
        (ok, ) = address(_token).call(abi.encodeWithSelector(WITH_DATA, owner, to, BEAST, data));
    }
}
