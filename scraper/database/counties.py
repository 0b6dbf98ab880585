"""Names of counties: what the Census Bureau calls each, and whether a county printed on a page is one of several. Pure text.

`places` brings the counties with their outlines.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

_ROWS = list(csv.reader((files("scraper.database") / "atlas" / "states.csv").read_text(encoding="utf-8").splitlines()))
STATES = {code: (name, postal) for code, name, postal, *_ in _ROWS}
"""State or territory by the first two digits of a county code (FIPS 5-2): name and postal code."""
REGIONS = {code: (region or None, division or None) for code, _, _, region, division in _ROWS}
"""The Census Bureau's region and division of each; territories have none."""

_CLASS_OF_STATE = {"22": "Parish", "60": "District", "69": "Municipality", "72": "Municipio", "78": "Island"}
"""What counties are called where not County; those of Alaska and independent cities are told apart below."""
_ALASKA = {
    "Borough": "013 060 068 090 100 122 130 150 164 170 185 188 195",
    "Census Area": "016 050 063 066 070 105 158 180 198 240 261 290",
    "City and Borough": "110 220 275 282",
    "Municipality": "020 230",
}
_ALASKAN = {f"02{code}": name for name, codes in _ALASKA.items() for code in codes.split()}
_WHOLE = {"11001", "66010", "32510"}
"""Whose name has no word for what they are: District of Columbia, Guam, Carson City."""
_FIRST_CITY = "510"
"""Independent cities have three last digits from here on."""

_ALSO = {
    "11001": ("Washington", "Washington DC", "DC"),
    "36005": ("The Bronx",),
    "36047": ("Brooklyn",),
    "36061": ("Manhattan",),
    "36085": ("Staten Island",),
    "46102": ("Shannon",),  # until 2015
    "02158": ("Wade Hampton",),  # until 2015
}
"""Other names under which people know a county."""


def full_name(code: str, name: str) -> str:
    """The Census Bureau's name of a county out of its five-digit code and bare name: `Suffolk County`, `Richmond city`."""
    if code in _WHOLE:
        return name
    if code in _ALASKAN:
        return f"{name} {_ALASKAN[code]}"
    if code[:3] == "091":  # what Connecticut has in the place of counties since 2022
        return f"{name} Planning Region"
    if code[:2] in _CLASS_OF_STATE:
        return f"{name} {_CLASS_OF_STATE[code[:2]]}"
    return f"{name} city" if code[2:] >= _FIRST_CITY and code[:2] in {"24", "29", "51"} else f"{name} County"


_CLASS = re.compile(
    r"\s+(county|counties|co|parish|parishes|city and borough|city and county|borough|census area|municipality|municipio)$"
)
_OF = re.compile(r"^(?:the )?(?:city and )?(county|parish|borough|city|municipality) of (?:the )?(.+)$")
_PARTS = re.compile(r"[,;/()\[\]|\n\r\t•–—]+|\s-+\s")
_AND = re.compile(r"\s+and\s+")
_AFTER_CLASS = re.compile(r"\b(county|counties|parish|borough|census area)\s+(?!of\b|and\b|&)(?=\S)", re.IGNORECASE)
MAX_PRINTED = 2000
"""Characters; a longer text is no name of a county."""


def _plain(text: str) -> str:
    """Lower case, without accents, dots and apostrophes; Saint is St, `City of Salem` is `Salem City`."""
    spelled = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    spelled = re.sub(r"[.'`]", "", spelled).replace("&", " and ")
    spelled = " ".join(re.sub(r"\b(saint|sainte|ste)\b", "st", spelled).split())
    return _OF.sub(r"\2 \1", spelled)


def _key(plain: str) -> str:
    """Makes one of `De Kalb` and `DeKalb`, of `Miami-Dade` and `Miami Dade`."""
    return re.sub(r"[^a-z0-9]", "", plain)


@cache
def _named_key(known: str) -> str:
    """The key of a county's own name: the same in many states."""
    return _key(_plain(known))


_STATE_NAMES = {_key(_plain(text)): code for code, texts in STATES.items() for text in texts}


class CountyNames:
    """All counties by name."""

    def __init__(self, bare_names: Iterable[tuple[str, str]]) -> None:
        names = dict(bare_names)
        in_state = Counter((code[:2], name) for code, name in names.items())
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._whatever: dict[str, set[str]] = defaultdict(set)
        for code, name in names.items():
            bare = [_named_key(known) for known in (name, *_ALSO.get(code, ()))]
            for key in (*bare, _named_key(full_name(code, name))):
                self._exact[key].add(code)
            if in_state[code[:2], name] == 1:  # whatever the page calls it, it can only be this one
                for key in bare:
                    self._whatever[key].add(code)

    def codes(self, printed: str) -> frozenset[str]:
        """The counties that a printed text can mean, by code, in every state that has one; none where it names no county.

        A text may hold several, and states: `Adams and Clay Counties, CO`. A named state rules the other states out.
        """
        if len(printed) > MAX_PRINTED:
            return frozenset()
        found: set[str] = set()
        states: set[str] = set()
        classed = False
        text = _PARTS.sub(",", _AFTER_CLASS.sub(r"\1, ", printed))
        for part in filter(None, map(_plain, text.split(","))):
            meant = self._named(part) or set().union(*map(self._named, _AND.split(part)))
            state = _STATE_NAMES.get(_key(part))
            if state and (not meant or classed):  # Washington is a county too, but not in `King County, Washington`
                states.add(state)
            else:
                found |= meant
            classed = classed or _CLASS.search(part) is not None
        return frozenset(code for code in found if not states or code[:2] in states)

    def _named(self, plain: str) -> set[str]:
        """Where a state has a county and a city of one name, the printed word for it decides between them."""
        return self._exact.get(_key(plain), set()) | self._whatever.get(_key(_CLASS.sub("", plain)), set())
