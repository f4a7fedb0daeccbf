// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What the suites need of `ds-test`, which no registry has
/// @dev A check that fails reverts at once.
contract DSTest {
    event log(string);
    event log_named_bytes(string key, bytes val);
    event log_named_decimal_uint(string key, uint256 val, uint256 decimals);
    event log_named_string(string key, string val);
    event log_named_uint(string key, uint256 val);

    error CheckFailed();

    address internal constant HEVM_ADDRESS = address(uint160(uint256(keccak256("hevm cheat code"))));

    function fail() internal virtual {
        revert CheckFailed();
    }

    function assertTrue(bool condition) internal virtual {
        if (!condition) fail();
    }

    function assertEq(address a, address b) internal virtual {
        assertTrue(a == b);
    }

    function assertEq(uint256 a, uint256 b) internal virtual {
        assertTrue(a == b);
    }

    function assertEq(string memory a, string memory b) internal virtual {
        assertTrue(keccak256(bytes(a)) == keccak256(bytes(b)));
    }
}
