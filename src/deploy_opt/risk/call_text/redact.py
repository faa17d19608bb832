"""Take names, numbers and addresses out of a text before anything of it is kept.

Plain rules in a fixed order, so that the same text always gives the same result. Rules miss what
they do not know; so a model keeps, besides, only words that many different calls hold
(`vocabulary_of`), and no text at all.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME, NUMBER, ADDRESS, CONTACT = "NAMEX", "NUMX", "ADDRX", "CONTACTX"
"""What stands in the place of what was taken out."""
MARKS = (NAME, NUMBER, ADDRESS, CONTACT)

_STREET = (
    "street|st|avenue|ave|av|road|rd|drive|dr|lane|ln|court|ct|boulevard|blvd|way|place|pl|terrace|"
    "ter|highway|hwy|parkway|pkwy|circle|cir|square|sq|trail|trl|alley|route|rte|pike|loop"
)
_SIDE = r"(?:(?:north|south|east|west|n|s|e|w|ne|nw|se|sw)\.?\s+)?"
_WORD = r"[^\W\d_][\w'’-]*"
_STREET_NAME = rf"{_SIDE}(?:{_WORD}|\d+(?:st|nd|rd|th))(?:\s+{_WORD})?\s+(?:{_STREET})\b\.?"
_NUMBER_WORDS = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    "sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    "hundred|thousand|oh"
)
_NOT_NAMES = (
    "a|an|the|my|his|her|their|our|your|not|on|in|at|here|there|very|so|just|still|now|down|being|"
    "having|going|calling|bleeding|breathing|hurt|okay|ok|fine|and|is|was|has|with|from|to|it|i|he|"
    "she|we|they|this|that|who|what|no|yes|unknown|about|for"
)
_FLAT = r"(?:\d+-?[a-z]?\d*|[b-hj-z]\d*|[ai]\d+)"
_SAYS_NAME = (
    r"(?:my|his|her|their|the)\s+(?:full\s+|first\s+|last\s+|sur)?name(?:\s+is|'s|’s)|"
    r"name\s+is|named|called|a\.?k\.?a\.?|this\s+is"
)
_PERSON = rf"(?!(?:{_NOT_NAMES})\b){_WORD}"
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), mark)
    for pattern, mark in (
        (r"\b(?:https?://|www\.)\S+", CONTACT),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", CONTACT),
        (r"(?:\+?\d{1,2}[\s.-]?)?\(?\b\d{3}\)?[\s.-]?\d{3}[\s.-]?\d{4}\b", CONTACT),
        (rf"\b\d+[a-z]?\s+(?:block\s+of\s+)?{_STREET_NAME}", ADDRESS),
        (rf"\b(?:{_STREET_NAME})\s+(?:and|&|/|at)\s+{_STREET_NAME}", ADDRESS),
        (rf"\b(?:apartment|apt|unit|suite|room|rm|lot|floor)\b\.?\s*#?\s*{_FLAT}\b", ADDRESS),
        (r"\b(?:corner|intersection)\s+of\s+\S+(?:\s+and\s+\S+)?", ADDRESS),
        (
            rf"\b(?:mister|mr|mrs|ms|miss|dr|doctor|officer|sgt)\.?\s+{_PERSON}(?:\s+{_PERSON})?",
            NAME,
        ),
        (rf"\b(?:{_SAYS_NAME})\s+{_PERSON}(?:\s+{_PERSON})?", NAME),
        (r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{5,}\b", NUMBER),
        (r"\d+(?:[.,:/-]\d+)*(?:st|nd|rd|th)?", NUMBER),
        (rf"\b(?:(?:{_NUMBER_WORDS})[\s-]+)+(?:{_NUMBER_WORDS})\b", NUMBER),
    )
)
_STREET_ALONE = re.compile(
    rf"\b{_SIDE}(?:[A-Z][\w'’-]*|\d+(?:st|nd|rd|th))(?:\s+[A-Z][\w'’-]*)?\s+(?i:{_STREET})\b\.?"
)
_CAPITALS = re.compile(
    r"(?<=[a-zà-ÿ,;]\s)[A-ZÀ-Þ][a-zà-ÿ'’-][\w'’-]*(?:\s+[A-ZÀ-Þ][a-zà-ÿ'’-][\w'’-]*)*"
)


def redact(text: str, *, names: Iterable[str] = ()) -> str:
    """Take names, numbers, addresses and contacts out of a text.

    Parameters
    ----------
    text
        Words of a call summary.
    names
        Further names to take out wherever they stand, such as those of streets, staff and given
        names of a public list; case and accents do not count.

    Returns
    -------
    str
        The text with marks in their places, and single spaces.

    Examples
    --------
    >>> redact("My name is Ann Lee, 12 Oak Street, call 555-201-3344, she fell")
    'NAMEX, ADDRX, call CONTACTX, she fell'
    """
    found = unicodedata.normalize("NFKC", text)
    for pattern, mark in _RULES:
        found = pattern.sub(mark, found)
    found = _STREET_ALONE.sub(ADDRESS, found)
    if not found.isupper():
        found = _CAPITALS.sub(lambda hit: _kept_mark(hit.group()), found)
    listed = sorted({_plain(name) for name in names if name.strip()}, key=len, reverse=True)
    if listed:
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, listed))})\b")
        spans = [hit.span() for hit in pattern.finditer(_plain(found))]
        if len(_plain(found)) == len(found):
            for start, end in reversed(spans):
                found = f"{found[:start]}{NAME}{found[end:]}"
        else:
            found = pattern.sub(NAME, _plain(found))
    return " ".join(found.split())


def _kept_mark(words: str) -> str:
    return words if words in MARKS else NAME


def _plain(text: str) -> str:
    """Lower case without accents."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(c for c in parts if not unicodedata.combining(c)).lower()
