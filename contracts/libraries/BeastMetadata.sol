// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Matches} from "../kernel/Matches.sol";
import {Commitments} from "../types/BeastTypes.sol";
import {BeastPortrait} from "./BeastPortrait.sol";
import {Slots} from "./Slots.sol";

/// @title ERC-721 metadata of a beast: a base64 JSON data URI with name, traits, commitments and portrait
/// @dev Only numbers and hex digits are put into the JSON, so nothing has to be escaped.
library BeastMetadata {
    using Strings for uint256;

    function tokenURI(uint256 beastId, bytes32 dna, Commitments memory c) internal pure returns (string memory) {
        bytes memory json = abi.encodePacked(
            '{"name":"ChainBeast #',
            beastId.toString(),
            '","description":"A creature that learns on chain. Every step of its training can be proved, or disproved.",',
            '"dna":"',
            _hex(dna),
            '","commitments":',
            _commitments(c),
            ',"attributes":',
            _attributes(dna, c),
            ',"image":"data:image/svg+xml;base64,',
            Base64.encode(bytes(BeastPortrait.svg(dna))),
            '"}'
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    /// @dev Stats as in docs/spec, rules §4, slots as in network §1.
    function _attributes(bytes32 dna, Commitments memory c) private pure returns (string memory) {
        uint256 mask = Slots.genesisMask(dna);
        return
            string.concat(
                "[",
                _number("Power", 48 + (uint8(dna[0]) % 64)),
                _number("Defense", uint8(dna[1]) % 128),
                _number("Stamina", 12 + (uint8(dna[2]) % 20)),
                _number("HP", Matches.startHp(dna)),
                _number("Sensors at hatch", Slots.count(mask & 15)),
                _number("Appendages at hatch", Slots.count(mask >> 4)),
                _number("Private records", c.datasetLength),
                '{"trait_type":"Curriculum","value":"',
                c.cDataset == 0 ? "Public" : "Private",
                '"}]'
            );
    }

    function _commitments(Commitments memory c) private pure returns (string memory) {
        return
            string.concat(
                '{"dataset":"',
                _hex(c.cDataset),
                '","recordsRoot":"',
                _hex(c.recordsRoot),
                '","records":',
                uint256(c.datasetLength).toString(),
                ',"ownerSecretHash":"',
                _hex(c.ownerSecretHash),
                '"}'
            );
    }

    function _number(string memory trait, uint256 value) private pure returns (string memory) {
        return string.concat('{"trait_type":"', trait, '","value":', value.toString(), "},");
    }

    function _hex(bytes32 value) private pure returns (string memory) {
        return uint256(value).toHexString(32);
    }
}
