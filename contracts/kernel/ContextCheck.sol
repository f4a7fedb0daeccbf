// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules, WindowContext} from "../types/KernelTypes.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {Samples} from "./Samples.sol";

/// @title The ranges of what the kernel is given
/// @dev docs/spec, rules §3. The kernel's arithmetic trusts them, so they are checked once per call. The registry keeps
/// seasons within the same ranges, but a referee is called with any context. What has no range here fits by its type.
library ContextCheck {
    uint256 private constant MAX_STEPS = 128;
    uint256 private constant MAX_RECORDS = 65_536;

    function check(WindowContext memory ctx, uint256 steps) internal pure {
        checkRules(ctx.rules);
        // Bit masks of the schedule: a head never learns without those before it.
        uint256 heads = ctx.heads;
        _require(heads == 1 || heads == 3 || heads == 7, "heads", heads);
        // INVARIANT: the update's lanes hold what Backward says they hold.
        _range("lrShift", ctx.lrShift, 3, 15);
        _range("source", ctx.source, 0, Samples.PRIVATE);
        // An index is drawn modulo the length, and a proof has ceil(log2(length)) siblings, 16 at most.
        // A private window whose records the caller has opened before names none (Samples.witnessBytes).
        uint256 least = ctx.source == Samples.PRIVATE ? 0 : 1;
        if (ctx.source >= Samples.BATTLE) _range("recordsLength", ctx.recordsLength, least, MAX_RECORDS);
        _range("steps", steps, 0, MAX_STEPS);
    }

    /// @dev Divisors are not 0 (damageK, critOdds). A blockCap below 128 keeps bit 7 of tempDef clear and a maxTurns
    /// below 255 keeps turn + 1 in its byte, so that activation makes only words that isValid accepts while both
    /// creatures live.
    function checkRules(Rules memory rules) internal pure {
        _range("damageK", rules.damageK, 1, 2184);
        _range("damageCurve", rules.damageCurve, 0, 1);
        _range("blockCap", rules.blockCap, 0, 127);
        _range("critOdds", rules.critOdds, 1, 65_535);
        _range("hazardStamina", rules.hazardStamina, 0, 15);
        _range("restGain", rules.restGain, 1, 255);
        _range("maxTurns", rules.maxTurns, 1, 254);
        _range("blockThresholdNum", rules.blockThresholdNum, 1, 255);
        _range("blockThresholdDen", rules.blockThresholdDen, 1, 255);
        _range("selfPlayWords", rules.selfPlayWords, 1, 127);
    }

    function _range(bytes32 field, uint256 value, uint256 low, uint256 high) private pure {
        _require(value >= low && value <= high, field, value);
    }

    function _require(bool inside, bytes32 field, uint256 value) private pure {
        if (!inside) revert IStepReferee.BadContext(field, value);
    }
}
