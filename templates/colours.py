"""The accent colour where it has to be read: kept as it is, or moved until the contrast is enough.

Contrast is that of WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text.
"""

import colorsys

READABLE = 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two `#rrggbb` colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, *, on: str, ratio: float = READABLE) -> str:
    """`colour`, made lighter on dark ground or darker on light ground until it can be read."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_shares(colour))
    step = 0.01 if luminance(on) < 0.18 else -0.01
    while contrast(colour, on) < ratio and 0 <= lightness + step <= 1:
        lightness += step
        red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
        colour = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
    return colour


def mixed(one: str, other: str, *, share: float) -> str:
    """The colour between two, with so much of the first."""
    mix = (
        round(255 * (mine * share + theirs * (1 - share)))
        for mine, theirs in zip(_shares(one), _shares(other), strict=True)
    )
    return "#" + "".join(f"{each:02x}" for each in mix)


def luminance(colour: str) -> float:
    """How bright a colour is, from 0 (black) to 1 (white)."""
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in _shares(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _shares(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
