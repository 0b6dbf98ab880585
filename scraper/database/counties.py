"""Names of counties: what the Census Bureau calls each, and which counties a text printed on a page can mean.

Pure text; `places` provides the counties with their outlines.
"""

import csv
import re
import tomllib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

FOLDER = files("scraper.database") / "atlas"
_ROWS = list(csv.reader((FOLDER / "states.csv").read_text(encoding="utf-8").splitlines()))
STATES = {code: (name, postal) for code, name, postal, *_ in _ROWS}
"""Name and postal code of the state or territory, by the first two digits of a county code (FIPS 5-2)."""
REGIONS = {code: (region or None, division or None) for code, _, _, region, division in _ROWS}
"""The Census Bureau's region and division of each state; territories have none."""

_NAMES = tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))


def full_name(code: str, name: str) -> str:
    """Returns the Census Bureau's name of a county from its five-digit code and bare name: `Suffolk County`, `Richmond city`."""
    known = (_NAMES["class"].get(code[:digits]) for digits in (5, 3, 2))
    return f"{name} {next((one for one in known if one is not None), 'County')}".rstrip()


_CLASS, _OF, _PARTS, _AND, _AFTER_CLASS = map(re.compile, _NAMES["patterns"].values())
MAX_PRINTED = 2000
"""Characters; a longer text is not the name of a county."""


def _normalize(text: str) -> str:
    """Returns a name in lower case, without accents, dots, apostrophes; Saint becomes St, `City of Salem` `Salem City`."""
    spelled = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    spelled = re.sub(r"[.'`]", "", spelled).replace("&", " and ")
    spelled = " ".join(re.sub(r"\b(saint|sainte|ste)\b", "st", spelled).split())
    return _OF.sub(r"\2 \1", spelled)


@lru_cache(maxsize=4096)
def _key(text: str) -> str:
    """Returns the same key for `De Kalb` and `DeKalb`, for `Miami-Dade` and `Miami Dade`, given in plain spelling."""
    return re.sub(r"[^a-z0-9]", "", _normalize(text))


_STATE_NAMES = {_key(text): code for code, texts in STATES.items() for text in texts}


class CountyNames:
    """All counties by name."""

    def __init__(self, bare_names: Iterable[tuple[str, str]]) -> None:
        names = dict(bare_names)
        in_state = Counter((code[:2], name) for code, name in names.items())
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._whatever: dict[str, set[str]] = defaultdict(set)
        for code, name in names.items():
            bare = [_key(known) for known in (name, *_NAMES["also"].get(code, ()))]
            for key in (*bare, _key(full_name(code, name))):
                self._exact[key].add(code)
            if in_state[code[:2], name] == 1:  # whatever word the page uses for it, it can only be this one
                for key in bare:
                    self._whatever[key].add(code)

    def codes(self, printed: str) -> frozenset[str]:
        """Returns the codes of the counties that a printed text can mean, in every state; empty if it names no county.

        A text may contain several, and states: `Adams and Clay Counties, CO`. A named state rules out the others.
        """
        if len(printed) > MAX_PRINTED:
            return frozenset()
        found: set[str] = set()
        states: set[str] = set()
        classed = False
        text = _PARTS.sub(",", _AFTER_CLASS.sub(r"\1, ", printed))
        for part in filter(None, map(_normalize, text.split(","))):
            meant = self._codes_of_name(part) or set().union(*map(self._codes_of_name, _AND.split(part)))
            state = _STATE_NAMES.get(_key(part))
            if state and (not meant or classed):  # Washington is also a county, but not in `King County, Washington`
                states.add(state)
            else:
                found |= meant
            classed = classed or _CLASS.search(part) is not None
        return frozenset(code for code in found if not states or code[:2] in states)

    def _codes_of_name(self, plain: str) -> set[str]:
        """Returns the counties of a name. If a state has a county and a city of the same name, the printed word decides."""
        return self._exact.get(_key(plain), set()) | self._whatever.get(_key(_CLASS.sub("", plain)), set())
