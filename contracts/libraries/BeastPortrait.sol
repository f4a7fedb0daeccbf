// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Matches} from "../kernel/Matches.sol";
import {Slots} from "./Slots.sol";

/// @title The portrait of a beast, an SVG drawn from its DNA
/// @notice What it can do shows: one eye per sensor, one pair of limbs per appendage, a broader body with more hp, a
/// taller crest with more power, a thicker shell with more defence. The rest of the DNA chooses shapes, colours and moods.
/// @dev No DNA may make this revert, or that beast would have no tokenURI. Arithmetic is checked, so every subtraction
/// is of less than what it is from, term by term, for every width of 50 to 69, height of 46 to 67 and 1 to 4 eyes and
/// pairs of limbs. Of the DNA only numbers get into the text, so nothing can be injected.
library BeastPortrait {
    using Strings for uint256;

    function svg(bytes32 dna) internal pure returns (string memory) {
        uint256 mask = Slots.genesisMask(dna);
        uint256 width = 50 + ((Matches.startHp(dna) - 116) * 5) / 26;
        uint256 height = 46 + (uint8(dna[6]) % 22);
        string memory behind = string.concat(
            _sky(dna),
            _tail(dna, width),
            _limbs(Slots.count(mask >> 4), width, height)
        );
        string memory front = string.concat(
            _spikes(dna, width, height),
            _body(dna, width, height),
            _spots(dna, height)
        );
        string memory face = string.concat(_eyes(dna, Slots.count(mask & 15), height), _mouth(dna, height));
        return
            string.concat(
                '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">',
                behind,
                front,
                face,
                "</svg>"
            );
    }

    function _sky(bytes32 dna) private pure returns (string memory) {
        return
            string.concat(
                _palette(dna),
                '<rect width="200" height="200" fill="url(#s)"/>',
                '<ellipse cx="100" cy="184" rx="62" ry="8" fill="#000" opacity=".18"/>'
            );
    }

    /// @dev Sky behind, hide (h), belly (b) and horn (n) colours.
    function _palette(bytes32 dna) private pure returns (string memory) {
        uint256 hue = (uint256(uint8(dna[7])) * 360) / 256;
        uint256 other = (hue + 90 + (uint8(dna[8]) % 180)) % 360;
        return
            string.concat(
                "<style>.h{fill:",
                _hsl(hue, 62, 48),
                ";stroke:",
                _hsl(hue, 60, 22),
                ";stroke-width:3}.b{fill:",
                _hsl(other, 70, 78),
                "}.n{fill:",
                _hsl(other, 55, 45),
                ";stroke:",
                _hsl(other, 60, 20),
                ';stroke-width:2;stroke-linejoin:round}</style><radialGradient id="s"><stop stop-color="',
                _hsl(other, 60, 90),
                '"/><stop offset="1" stop-color="',
                _hsl((hue + 180) % 360, 45, 62),
                '"/></radialGradient>'
            );
    }

    function _tail(bytes32 dna, uint256 width) private pure returns (string memory) {
        uint256 x = 100 + width - 8;
        uint256 tip = 70 + (uint8(dna[9]) % 60);
        return
            string.concat(
                '<path class="h" d="M',
                _point(x, 140),
                "Q",
                _point(x + 44, 150),
                " ",
                _point(x + 24, tip),
                "Q",
                _point(x + 26, 128),
                " ",
                _point(x - 8, 122),
                'Z"/>'
            );
    }

    function _limbs(uint256 pairs, uint256 width, uint256 height) private pure returns (string memory out) {
        for (uint256 i = 0; i < pairs; ++i) {
            uint256 reach = ((width - 6) * (i + 1)) / pairs;
            uint256 y = 112 + height - 10 * (i + 1);
            out = string.concat(out, _ellipse("h", 100 - reach, y, 11, 17), _ellipse("h", 100 + reach, y, 11, 17));
        }
    }

    /// @dev A crest of triangles over the back, tallest in the middle, and the taller the more power.
    function _spikes(bytes32 dna, uint256 width, uint256 height) private pure returns (string memory out) {
        uint256 n = 3 + (uint8(dna[10]) % 5);
        uint256 tall = 14 + (uint256(uint8(dna[0]) % 64) * 3) / 8;
        for (uint256 i = 0; i < n; ++i) {
            uint256 x = 100 - width + (2 * width * (i + 1)) / (n + 1);
            uint256 off = x > 100 ? x - 100 : 100 - x;
            uint256 drop = (off * off * height) / (width * width);
            uint256 base = 122 - height + drop;
            out = string.concat(
                out,
                '<path class="n" d="M',
                _point(x - 8, base + 6),
                "L",
                _point(x, base - tall + off / 4),
                "L",
                _point(x + 8, base + 6),
                'Z"/>'
            );
        }
    }

    /// @dev Hide, belly, and a shell whose rim is as thick as the defence.
    function _body(bytes32 dna, uint256 width, uint256 height) private pure returns (string memory) {
        uint256 rim = (uint8(dna[1]) % 128) / 16;
        return
            string.concat(
                _ellipse("h", 100, 118, width, height),
                _ellipse("b", 100, 138, (width * 3) / 5, height / 2),
                '<path class="n" style="fill:none;stroke-width:',
                (1 + rim).toString(),
                '" d="M',
                _point(104 - width, 110),
                "Q",
                _point(100, 128 - height / 2),
                " ",
                _point(96 + width, 110),
                '"/>'
            );
    }

    function _spots(bytes32 dna, uint256 height) private pure returns (string memory out) {
        uint256 spots = uint8(dna[11]) % 6;
        for (uint256 i = 0; i < spots; ++i) {
            uint256 x = 72 + (uint8(dna[20 + i]) % 56);
            uint256 y = 126 - height + 12 + (uint8(dna[26 + i]) % 14);
            out = string.concat(out, _ellipse("b", x, y, 3 + (i % 3), 3));
        }
    }

    function _eyes(bytes32 dna, uint256 n, uint256 height) private pure returns (string memory out) {
        uint256 size = 15 - 2 * n + (uint8(dna[12]) % 4);
        uint256 y = 118 - height / 4;
        uint256 look = uint8(dna[13]) % 5;
        for (uint256 i = 0; i < n; ++i) {
            uint256 x = 100 + i * (2 * size + 3) - ((n - 1) * (2 * size + 3)) / 2;
            out = string.concat(
                out,
                '<circle cx="',
                x.toString(),
                '" cy="',
                y.toString(),
                '" r="',
                size.toString(),
                '" fill="#fff" stroke="#222" stroke-width="2"/>',
                _pupil(x + look - 2, y + 1, size / 2, uint8(dna[14]) & 1 == 1)
            );
        }
    }

    /// @dev Round like a bear's, or a slit like a cat's; both with a glint.
    function _pupil(uint256 x, uint256 y, uint256 size, bool slit) private pure returns (string memory) {
        return
            string.concat(
                '<ellipse cx="',
                x.toString(),
                '" cy="',
                y.toString(),
                '" rx="',
                (slit ? size / 2 + 1 : size).toString(),
                '" ry="',
                (size + 1).toString(),
                '" fill="#222"/><circle cx="',
                (x + 2).toString(),
                '" cy="',
                (y - 2).toString(),
                '" r="2" fill="#fff"/>'
            );
    }

    /// @dev A smile or a grimace, with or without fangs.
    function _mouth(bytes32 dna, uint256 height) private pure returns (string memory out) {
        uint256 y = 122 + height / 5;
        uint256 half = 10 + (uint8(dna[15]) % 14);
        uint256 bend = 2 + (uint8(dna[16]) % 20);
        out = string.concat(
            '<path d="M',
            _point(100 - half, y),
            "Q",
            _point(100, y + bend - 4),
            " ",
            _point(100 + half, y),
            '" fill="none" stroke="#222" stroke-width="3" stroke-linecap="round"/>'
        );
        if (uint8(dna[17]) & 1 == 1) out = string.concat(out, _fang(102 - half, y), _fang(92 + half, y));
    }

    function _fang(uint256 x, uint256 y) private pure returns (string memory) {
        return string.concat('<path fill="#fff" stroke="#222" d="M', _point(x, y), "l3 9 3-9Z", '"/>');
    }

    function _ellipse(
        string memory class,
        uint256 x,
        uint256 y,
        uint256 rx,
        uint256 ry
    ) private pure returns (string memory) {
        return
            string.concat(
                '<ellipse class="',
                class,
                '" cx="',
                x.toString(),
                '" cy="',
                y.toString(),
                '" rx="',
                rx.toString(),
                '" ry="',
                ry.toString(),
                '"/>'
            );
    }

    function _point(uint256 x, uint256 y) private pure returns (string memory) {
        return string.concat(x.toString(), " ", y.toString());
    }

    function _hsl(uint256 hue, uint256 saturation, uint256 light) private pure returns (string memory) {
        return string.concat("hsl(", hue.toString(), ",", saturation.toString(), "%,", light.toString(), "%)");
    }
}
