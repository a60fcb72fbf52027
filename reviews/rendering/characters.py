"""Characters that nobody sees: which they are, and the short names by which they are shown."""

from __future__ import annotations

import re
import unicodedata

_C0 = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS "
    "US"
)
_C1 = (
    "PAD HOP BPH NBH IND NEL SSA ESA HTS HTJ VTS PLD PLU RI SS2 SS3 DCS PU1 PU2 STS CCH MW SPA EPA SOS SGC SCI CSI ST "
    "OSC PM APC"
)

REORDERING = {
    "\u061c": "ALM", "\u200e": "LRM", "\u200f": "RLM",
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
}  # fmt: skip

_ZERO_WIDTH = {
    "\u00ad": "SHY", "\u034f": "CGJ", "\u115f": "HCF", "\u1160": "HJF", "\u17b4": "KIVAQ", "\u17b5": "KIVAA",
    "\u180b": "FVS1", "\u180c": "FVS2", "\u180d": "FVS3", "\u180e": "MVS", "\u180f": "FVS4",
    "\u200b": "ZWSP", "\u200c": "ZWNJ", "\u200d": "ZWJ", "\u2028": "LSEP", "\u2029": "PSEP",
    "\u2060": "WJ", "\u2061": "FA", "\u2062": "IT", "\u2063": "IS", "\u2064": "IP",
    "\u206a": "ISS", "\u206b": "ASS", "\u206c": "IAFS", "\u206d": "AAFS", "\u206e": "NADS", "\u206f": "NODS",
    "\u3164": "HF", "\ufeff": "BOM", "\uffa0": "HHF", "\ufff9": "IAA", "\ufffa": "IAS", "\ufffb": "IAT",
}  # fmt: skip

SPACES = {
    "\t": "→", "\r": "CR", "\u00a0": "NBSP", "\u1680": "OGSP", "\u2000": "NQSP", "\u2001": "MQSP", "\u2002": "ENSP",
    "\u2003": "EMSP", "\u2004": "3/MSP", "\u2005": "4/MSP", "\u2006": "6/MSP", "\u2007": "FSP", "\u2008": "PSP",
    "\u2009": "THSP", "\u200a": "HSP", "\u202f": "NNBSP", "\u205f": "MMSP", "\u2800": "BRAILLE", "\u3000": "IDSP",
}  # fmt: skip

_CONTROLS = {chr(code): name for code, name in enumerate(_C0.split()) if chr(code) not in "\t\n\r"}
_CONTROLS |= {"\x7f": "DEL"} | {chr(0x80 + code): name for code, name in enumerate(_C1.split())}
_NAMED = _CONTROLS | _ZERO_WIDTH | REORDERING | SPACES

_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0000-\U000e007f"
_IN_PLACE = re.escape("".join(set(_CONTROLS | _ZERO_WIDTH) - {"\0"})) + _SELECTORS + _TAGS

IN_PLACE = f"[{_IN_PLACE}]"  # unseen, but harmless where it stands
MOVED = f"[\0{re.escape(''.join(REORDERING))}]"  # has no place in HTML, or would reorder its line
SPACE = f"[{re.escape(''.join(SPACES))}]"
UNSEEN = re.compile(f"{IN_PLACE}|{MOVED}")


def name(character: str) -> str:
    """The short name of one unseen character: "ZWSP", "RLO", "VS16", "TAG h"."""
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if 0xFE00 <= code <= 0xFE0F:
        return f"VS{code - 0xFE00 + 1}"
    if 0xE0100 <= code <= 0xE01EF:
        return f"VS{code - 0xE0100 + 17}"
    if 0xE0020 <= code <= 0xE007E:
        return f"TAG {chr(code - 0xE0000)}"
    return f"U+{code:04X}"


def continues(character: str) -> bool:
    """Whether a character belongs to the one before it: a combining mark, a joiner, a skin tone, a selector."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me") or character == "\u200d" or "\U0001f3fb" <= character <= "\U0001f3ff"  # fmt: skip
