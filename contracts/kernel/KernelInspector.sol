// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rules} from "../types/KernelTypes.sol";
import {BoardWord} from "./BoardWord.sol";
import {Combat} from "./Combat.sol";
import {ContextCheck} from "./ContextCheck.sol";
import {Features} from "./Features.sol";
import {Genesis} from "./Genesis.sol";
import {KernelMemory, LIST_INPUT, LOGITS, WEIGHTS_1} from "./KernelMemory.sol";
import {Labels} from "./Labels.sol";
import {StateHash} from "./StateHash.sol";

/// @title A window into the parts of a micro-step
/// @notice Lets anybody compare one rule at a time with an implementation of their own. No contract depends on it and
/// none needs it deployed: `chainbeasts kernel check --backend evm` runs it on a chain of its own.
contract KernelInspector {
    /// @notice The word is not valid (docs/spec, rules §2).
    error InvalidWord(uint256 word);

    /// @notice The match that the word belongs to is over.
    error MatchOver(uint256 word);

    /// @notice A direction is 0 to 3, a power 0 to 15.
    error BadAction(uint256 direction, uint256 power);

    /// @notice The version and tables of the kernel.
    function kernelId() external pure returns (bytes32) {
        return StateHash.kernelId();
    }

    /// @notice Whether a word may be trained on.
    function isValid(uint256 word) external pure returns (bool) {
        return BoardWord.isValid(word);
    }

    /// @notice The teacher's labels of a valid word; `move` is 4 where there is none.
    function label(
        uint256 word,
        Rules calldata rules
    ) external pure returns (uint256 move, uint256 attack, uint256 guard) {
        KernelMemory.reserve();
        return Labels.label(_checked(word), _rules(rules));
    }

    /// @notice The 32 inputs of a valid word.
    function features(uint256 word) external pure returns (uint8[32] memory inputs) {
        KernelMemory.reserve();
        inputs = _zeros();
        Features.list(_checked(word));
        for (uint256 entry = LIST_INPUT; ; entry += 0x20) {
            uint256 x;
            assembly ("memory-safe") {
                x := mload(entry)
            }
            if (x == 0) return inputs;
            inputs[((x >> 8) - WEIGHTS_1) >> 8] = uint8(x);
        }
    }

    /// @notice The word after `self` of a valid word, whose match is not over, has acted.
    function activate(
        uint256 word,
        uint256 direction,
        uint256 power,
        bool guard,
        Rules calldata rules,
        uint64 battleSeed
    ) external pure returns (uint256) {
        Rules memory checkedRules = _rules(rules);
        if (Combat.isOver(word, checkedRules)) revert MatchOver(word);
        if (direction > 3 || power > 15) revert BadAction(direction, power);
        return Combat.activate(_checked(word), direction, power, guard, checkedRules, battleSeed);
    }

    /// @notice The action that eight logits mean to `self` of a valid word, whose match is not over.
    function decode(
        int16[8] calldata logits,
        uint256 word
    ) external pure returns (uint256 direction, uint256 power, bool guard) {
        KernelMemory.reserve();
        for (uint256 k = 0; k < 8; ++k) {
            int256 z = logits[k];
            assembly ("memory-safe") {
                mstore(add(LOGITS, shl(5, k)), z)
            }
        }
        return Combat.decode(_checked(word));
    }

    /// @notice The slots awake at hatch and the root of the weights at hatch.
    function genesis(bytes32 dna) external pure returns (uint8 activeMask, bytes32 root) {
        KernelMemory.reserve();
        activeMask = Genesis.state(0, dna).activeMask;
        root = StateHash.weightsRoot();
    }

    /// @notice The root of serialised weights, which must be well-formed.
    function weightsRoot(bytes calldata weights) external pure returns (bytes32) {
        KernelMemory.reserve();
        StateHash.load(weights);
        return StateHash.weightsRoot();
    }

    function _zeros() private pure returns (uint8[32] memory) {}

    function _checked(uint256 word) private pure returns (uint256) {
        if (!BoardWord.isValid(word)) revert InvalidWord(word);
        return word;
    }

    function _rules(Rules calldata rules) private pure returns (Rules memory checkedRules) {
        checkedRules = rules;
        ContextCheck.checkRules(checkedRules);
    }
}
