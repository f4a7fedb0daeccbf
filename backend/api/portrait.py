"""The SVG of a beast's ``tokenURI``, drawn here from its DNA as BeastPortrait.sol draws it.

Function for function and byte for byte what the contract draws; tests hold the two together.
"""

from __future__ import annotations

from chainbeasts.backend.kernel.combat import stats_from_dna
from chainbeasts.backend.kernel.genesis import genesis_mask

LEAST_HP, LEAST_POWER = 116, 48
"""Of what a DNA can give: the narrowest body, the lowest crest."""


def svg(dna: bytes) -> str:
    """The portrait of a 32-byte DNA."""
    mask = genesis_mask(dna)
    stats = stats_from_dna(dna)
    width, height = 50 + (stats.hp - LEAST_HP) * 5 // 26, 46 + dna[6] % 22
    eyes, pairs = (mask & 15).bit_count(), (mask >> 4).bit_count()
    parts = (
        _sky(dna) + _tail(dna, width) + _limbs(pairs, width, height),
        _spikes(dna, width, height) + _body(dna, width, height) + _spots(dna, height),
        _eyes(dna, eyes, height) + _mouth(dna, height),
    )
    body = "".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">{body}</svg>'


def _sky(dna: bytes) -> str:
    return (
        _palette(dna) + '<rect width="200" height="200" fill="url(#s)"/>'
        '<ellipse cx="100" cy="184" rx="62" ry="8" fill="#000" opacity=".18"/>'
    )


def _palette(dna: bytes) -> str:
    """Sky behind, hide (h), belly (b) and horn (n) colours."""
    hue = dna[7] * 360 // 256
    other = (hue + 90 + dna[8] % 180) % 360
    return (
        f"<style>.h{{fill:{_hsl(hue, 62, 48)};stroke:{_hsl(hue, 60, 22)};stroke-width:3}}"
        f".b{{fill:{_hsl(other, 70, 78)}}}"
        f".n{{fill:{_hsl(other, 55, 45)};stroke:{_hsl(other, 60, 20)};"
        "stroke-width:2;stroke-linejoin:round}</style>"
        f'<radialGradient id="s"><stop stop-color="{_hsl(other, 60, 90)}"/>'
        f'<stop offset="1" stop-color="{_hsl((hue + 180) % 360, 45, 62)}"/></radialGradient>'
    )


def _tail(dna: bytes, width: int) -> str:
    x, tip = 100 + width - 8, 70 + dna[9] % 60
    return f'<path class="h" d="M{x} 140Q{x + 44} 150 {x + 24} {tip}Q{x + 26} 128 {x - 8} 122Z"/>'


def _limbs(pairs: int, width: int, height: int) -> str:
    out = ""
    for i in range(pairs):
        reach, y = (width - 6) * (i + 1) // pairs, 112 + height - 10 * (i + 1)
        out += _ellipse("h", 100 - reach, y, 11, 17) + _ellipse("h", 100 + reach, y, 11, 17)
    return out


def _spikes(dna: bytes, width: int, height: int) -> str:
    """A crest of triangles over the back, tallest in the middle, and the taller the more power."""
    n, tall, out = 3 + dna[10] % 5, 14 + (stats_from_dna(dna).power - LEAST_POWER) * 3 // 8, ""
    for i in range(n):
        x = 100 - width + 2 * width * (i + 1) // (n + 1)
        off = abs(x - 100)
        base = 122 - height + off * off * height // (width * width)
        out += (
            f'<path class="n" d="M{x - 8} {base + 6}L{x} {base - tall + off // 4}'
            f'L{x + 8} {base + 6}Z"/>'
        )
    return out


def _body(dna: bytes, width: int, height: int) -> str:
    """Hide, belly, and a shell whose rim is as thick as the defence."""
    rim = dna[1] % 128 // 16
    return (
        _ellipse("h", 100, 118, width, height)
        + _ellipse("b", 100, 138, width * 3 // 5, height // 2)
        + f'<path class="n" style="fill:none;stroke-width:{1 + rim}" '
        f'd="M{104 - width} 110Q100 {128 - height // 2} {96 + width} 110"/>'
    )


def _spots(dna: bytes, height: int) -> str:
    return "".join(
        _ellipse("b", 72 + dna[20 + i] % 56, 126 - height + 12 + dna[26 + i] % 14, 3 + i % 3, 3)
        for i in range(dna[11] % 6)
    )


def _eyes(dna: bytes, n: int, height: int) -> str:
    size, y, look = 15 - 2 * n + dna[12] % 4, 118 - height // 4, dna[13] % 5
    out = ""
    for i in range(n):
        x = 100 + i * (2 * size + 3) - (n - 1) * (2 * size + 3) // 2
        out += (
            f'<circle cx="{x}" cy="{y}" r="{size}" fill="#fff" stroke="#222" stroke-width="2"/>'
            + _pupil(x + look - 2, y + 1, size // 2, dna[14] & 1 == 1)
        )
    return out


def _pupil(x: int, y: int, size: int, slit: bool) -> str:
    """Round like a bear's, or a slit like a cat's; both with a glint."""
    wide = size // 2 + 1 if slit else size
    return (
        f'<ellipse cx="{x}" cy="{y}" rx="{wide}" ry="{size + 1}" fill="#222"/>'
        f'<circle cx="{x + 2}" cy="{y - 2}" r="2" fill="#fff"/>'
    )


def _mouth(dna: bytes, height: int) -> str:
    """A smile or a grimace, with or without fangs."""
    y, half, bend = 122 + height // 5, 10 + dna[15] % 14, 2 + dna[16] % 20
    out = (
        f'<path d="M{100 - half} {y}Q100 {y + bend - 4} {100 + half} {y}" '
        'fill="none" stroke="#222" stroke-width="3" stroke-linecap="round"/>'
    )
    return out + (_fang(102 - half, y) + _fang(92 + half, y) if dna[17] & 1 else "")


def _fang(x: int, y: int) -> str:
    return f'<path fill="#fff" stroke="#222" d="M{x} {y}l3 9 3-9Z"/>'


def _ellipse(kind: str, x: int, y: int, rx: int, ry: int) -> str:
    return f'<ellipse class="{kind}" cx="{x}" cy="{y}" rx="{rx}" ry="{ry}"/>'


def _hsl(hue: int, saturation: int, light: int) -> str:
    return f"hsl({hue},{saturation}%,{light}%)"
