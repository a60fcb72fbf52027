"""Prose to be read in a benchmark: always the same for the same number, in paragraphs, with some Markdown and TeX."""

from __future__ import annotations

import random

SYLLABLES = [
    "ka",
    "ren",
    "to",
    "mi",
    "sol",
    "ve",
    "an",
    "dur",
    "pe",
    "lis",
    "or",
    "gan",
    "tem",
    "u",
    "cha",
    "il",
]
EVERY_FIFTH = [
    "The sum is $\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}$, and with **n = 12** that is `78`.",
    "- first the _upper_ bound\n- then the lower one\n- then both at once",
    "$$\\int_0^1 x^2 \\, dx = \\frac{1}{3}$$",
    "```python\nfor number in range(3):\n    print(number, number ** 2)\n```",
]


def prose(chars: int, number: int) -> str:
    """A text of exactly `chars` characters."""
    draw = random.Random(number)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(400)]
    parts, size = [f"Text {number}."], 8
    while size < chars:
        if len(parts) % 5 == 4:
            part = draw.choice(EVERY_FIFTH)
        else:
            sentences = [
                " ".join(draw.choices(words, k=draw.randint(6, 18))) for _ in range(draw.randint(2, 5))
            ]
            part = " ".join(f"{sentence.capitalize()}." for sentence in sentences)
        parts.append(part)
        size += len(part) + 2
    return "\n\n".join(parts)[:chars]
