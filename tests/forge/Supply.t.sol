// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Market} from "./Market.sol";

/// @title Random histories of sale, hatches, training, matches and seasons
contract Supply {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Market private _market;

    function setUp() external {
        _market = new Market();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_market);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(_market);
        targets[0].selectors = _moves();
    }

    /// @dev A selector is drawn as often as it stands here: so that many matches become final.
    function _moves() private view returns (bytes4[] memory moves) {
        bytes4[6] memory once = [
            _market.burn.selector,
            _market.send.selector,
            _market.hatch.selector,
            _market.transferBeast.selector,
            _market.reprice.selector,
            _market.pass.selector
        ];
        bytes4[7] memory often = [
            _market.buy.selector,
            _market.train.selector,
            _market.fight.selector,
            _market.draw.selector,
            _market.record.selector,
            _market.finalize.selector,
            _market.claim.selector
        ];
        moves = new bytes4[](once.length + 3 * often.length);
        for (uint256 i = 0; i < once.length; ++i) moves[i] = once[i];
        for (uint256 i = 0; i < 3 * often.length; ++i) moves[once.length + i] = often[i / 3];
    }

    function invariant_supply() external view {
        _market.checkMoves();
        _market.checkSupply();
        _market.checkBeasts();
    }

    function afterInvariant() external {
        _market.report();
    }
}
