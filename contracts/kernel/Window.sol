// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StateHeader, WindowContext} from "../types/KernelTypes.sol";
import {IStepReferee} from "../interfaces/IStepReferee.sol";
import {Backward} from "./Backward.sol";
import {BoardWord} from "./BoardWord.sol";
import {Features} from "./Features.sol";
import {Forward} from "./Forward.sol";
import {Labels} from "./Labels.sol";
import {OutputErrors} from "./OutputErrors.sol";
import {Samples} from "./Samples.sol";
import {SplitMix64} from "./SplitMix64.sol";

/// @title Micro-steps strung into windows
/// @dev docs/spec, state §3. The weights are in the kernel's memory and change there; the header changes in place.
library Window {
    /// @dev What a null step adds to the loss: the most a real step can.
    uint256 internal constant NULL_LOSS = 4095;

    /// @dev Moves a state whose hash is `parent` into the next window. Any mask is taken: that it only grows is checked
    /// where it is committed to, in the ledger.
    function open(StateHeader memory header, bytes32 parent, uint8 activeMask) internal pure {
        header.parent = parent;
        header.activeMask = activeMask;
        header.windowLoss = 0;
        header.arena = 0;
    }

    /// @dev Runs `steps` micro-steps. The context must be checked and the tables loaded.
    function run(
        WindowContext memory ctx,
        StateHeader memory header,
        uint256 steps,
        bytes calldata witnesses
    ) internal pure {
        uint256 each = Samples.witnessBytes(ctx);
        // INVARIANT: every step has its witness, and nothing is left over.
        if (witnesses.length != steps * each) revert IStepReferee.WitnessLength(steps * each, witnesses.length);
        Backward.setRate(ctx.lrShift);
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        for (uint256 n = 0; n < steps; ++n) {
            uint256 witness;
            assembly ("memory-safe") {
                witness := add(witnesses.offset, mul(n, each))
                // What a step allocates does not outlive it: context and header lie before it, and a step returns
                // values only. So the memory of 128 steps is that of one.
                mstore(0x40, free)
            }
            _step(ctx, header, witness, n);
        }
    }

    function _step(WindowContext memory ctx, StateHeader memory header, uint256 witness, uint256 n) private pure {
        unchecked {
            uint256 word = _sample(ctx, header, witness, n);
            uint256 loss = NULL_LOSS;
            // INVARIANT: inputs, labels and combat see valid words only; they shift by positions and trust the fields'
            // ranges.
            if (BoardWord.isValid(word)) {
                loss = _learn(ctx, header.activeMask, word);
                if (ctx.source == Samples.SELF_PLAY) {
                    header.arena = Samples.playOn(word, _windowSeed(ctx, header), header.globalStep, ctx.rules);
                }
            }
            // 128 steps add at most 524,160; a header made up by hand may wrap, as the spec has it.
            header.windowLoss += uint32(loss);
            ++header.globalStep;
        }
    }

    /// @dev One SGD step on a valid word; the logits of before the update stay in memory, and self-play acts by them.
    /// The order is forced: Forward reads the inputs' list; the errors need logits and labels; Backward needs the
    /// errors and Forward's lists, and changes the weights only then. Labels use a part of the map that none of the
    /// others does.
    function _learn(WindowContext memory ctx, uint256 activeMask, uint256 word) private pure returns (uint256 loss) {
        Features.list(word);
        Forward.run(activeMask);
        (uint256 move, uint256 attack, uint256 guard) = Labels.label(word, ctx.rules);
        loss = OutputErrors.compute(ctx.heads, move, attack, guard);
        if (loss != 0) Backward.run();
    }

    function _sample(
        WindowContext memory ctx,
        StateHeader memory header,
        uint256 witness,
        uint256 n
    ) private pure returns (uint256) {
        uint256 source = ctx.source;
        if (source >= Samples.BATTLE) return Samples.openRecord(ctx, header.globalStep, witness, n);
        uint256 s;
        uint256 walls;
        uint256 hazards;
        if (source == Samples.CURRICULUM) {
            s = SplitMix64.mix(SplitMix64.fold64(ctx.dna) ^ header.globalStep);
            (walls, hazards) = Samples.template(ctx.epochSeed, header.globalStep);
        } else {
            if (header.arena != 0) return header.arena;
            s = SplitMix64.mix(_windowSeed(ctx, header) ^ header.globalStep);
            (walls, hazards) = Samples.terrain(s);
        }
        return Samples.position(s, walls, hazards, ctx.rules);
    }

    function _windowSeed(WindowContext memory ctx, StateHeader memory header) private pure returns (uint256) {
        return SplitMix64.fold64(ctx.dna) ^ SplitMix64.fold64(header.parent);
    }
}
