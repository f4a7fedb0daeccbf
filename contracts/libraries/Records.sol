// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {SplitMix64} from "../kernel/SplitMix64.sol";

/// @title Which records a PRIVATE step samples (docs/spec, samples §3), and their opening against the committed root
library Records {
    /// @notice Record sampled by the step that starts at `globalStep`.
    /// @dev The same as Samples.recordIndex of a PRIVATE window; commitments have a length of at least 1.
    /// @param streamSeed fold64(dna) ^ fold64(S_owner)
    function indexAt(uint256 streamSeed, uint32 globalStep, uint256 length) internal pure returns (uint256) {
        return SplitMix64.mix(streamSeed ^ globalStep) % length;
    }

    /// @notice Check the words that consecutive steps sample and return them.
    /// @param witnesses per step the word, then ⌈log2 length⌉ siblings from the leaf up, 32 bytes each
    function open(
        bytes32 root,
        uint256 length,
        uint256 streamSeed,
        uint32 firstStep,
        bytes calldata witnesses
    ) internal pure returns (uint256[8] memory words) {
        uint256 stride = 32 * (1 + _depth(length));
        // INVARIANT P18: a record is what the committed root says it is, at exactly the sampled index.
        if (witnesses.length != 8 * stride) revert IDisputeCourt.WitnessLength(8 * stride, witnesses.length);
        for (uint256 j = 0; j < 8; ++j) {
            // The counter wraps at 2^32, as a state's does.
            uint32 step;
            unchecked {
                step = firstStep + uint32(j);
            }
            uint256 index = indexAt(streamSeed, step, length);
            bytes calldata witness = witnesses[j * stride:(j + 1) * stride];
            if (_climb(index, witness) != root) revert IDisputeCourt.WrongWitness(j, index);
            words[j] = uint256(bytes32(witness));
        }
    }

    /// @dev The root that a word and its siblings lead to; the witness has exactly as many as the length asks for.
    function _climb(uint256 index, bytes calldata witness) private pure returns (bytes32 node) {
        node = keccak256(abi.encodePacked(bytes1(0x00), bytes32(witness)));
        for (uint256 i = 32; i < witness.length; i += 32) {
            bytes32 sibling = bytes32(witness[i:i + 32]);
            node =
                index & 1 == 0
                    ? keccak256(abi.encodePacked(bytes1(0x01), node, sibling))
                    : keccak256(abi.encodePacked(bytes1(0x01), sibling, node));
            index >>= 1;
        }
    }

    /// @dev ⌈log2 length⌉
    function _depth(uint256 length) private pure returns (uint256 depth) {
        while (1 << depth < length) ++depth;
    }
}
