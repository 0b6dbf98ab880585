"""Recognizes values that name a person or contain contact details, and masks details in prose. When in doubt, a value is one.

The evidence, in this order: the target of the value's link, markup for persons, an email address or phone number in a short
value, and a label whose head noun is a person's role ("Lead Trainer") or a means of contact ("Fax", "Email Address").
"""

import re
import unicodedata

from parsers.registry import WORDS, label_key, label_named, label_of
from parsers.scalars import cached_short, yes_no

MAX_SHORT = 300
"""Characters; a longer value is prose, which keeps its names unless it is masked. Contact details with an address are shorter."""
_MAX_LABEL = 80  # characters; a longer label is a question or a sentence, not the name of a field for one person

_MAIL, _PHONE, _PERSONAL_LINK, _PERSON_PHRASE = (
    re.compile("".join(pieces), re.IGNORECASE) for pieces in WORDS["contact_patterns"].values()
)
_UNUSUAL_CHARACTERS = str.maketrans("‐‑‒–—―−⁃﹣－", "----------", "\u200b\u200c\u200d\u2060\ufeff\u00ad")

_ROLES, _MEANS, _ABOUT, _PERSONS, _NO_PERSONS = (frozenset(words.split()) for words in WORDS["contacts"].values())
_PERSONS |= _ROLES | _MEANS
_PREPOSITION = re.compile(r" (?:of|for|to|from|with|at|in|on|by|per) ")


@cached_short
def _normalize_characters(text: str) -> str:
    """Returns the text with unusual hyphens, digits and invisible characters replaced by plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_UNUSUAL_CHARACTERS)


def has_contact(text: str | None) -> bool:
    """Whether a short text contains an email address or a phone number; false for prose."""
    if not text or len(text) > MAX_SHORT:
        return False
    plain = _normalize_characters(text)
    return bool(re.fullmatch(r"\s*@\w{2,30}\s*", plain) or _MAIL.search(plain) or _PHONE.search(plain))


def mask_contacts(text: str) -> str:
    """Returns the text with every email address and phone number replaced by a note in brackets."""
    plain = _normalize_characters(text)
    found = _PHONE.sub("[phone number left out]", _MAIL.sub("[email address left out]", plain))
    return text if found == plain else found


@cached_short
def is_personal_link(href: str) -> bool:
    """Whether a link leads to a person: by its scheme, by an address in it, or because its target is a user's page."""
    return _PERSONAL_LINK.match(href.lstrip()) is not None


@cached_short
def denotes_person(label: str) -> bool:
    """Whether a label or machine name denotes a person or a means of contact."""
    entry = label_of(label) or label_named(label)
    if entry is not None:
        return entry.contact
    spelled = re.sub(r"\(s\)|[^\w' -]+", " ", label_key(label.removeprefix("field_").replace("_", " ")))
    spelled = " ".join(spelled.replace("e-mail", "email").replace("-", " ").replace("'s ", " ").split())
    if not spelled or len(spelled) > _MAX_LABEL or label.rstrip().endswith("?"):
        return False
    if _PERSON_PHRASE.search(spelled):
        return True
    head, *after = _PREPOSITION.split(spelled, maxsplit=1)
    words = [_singular(word) for word in re.sub(r" \d+$", "", head).split()]
    if words[-1] == "title":  # "Contact Title" and "Name and Title", not "Speaker Series Title"
        return len(words) > 1 and (words[0] == "name" or words[-2] in _PERSONS)
    if words[-1] not in _ABOUT:
        return words[-1] in _ROLES | _MEANS
    of = " ".join(after).split() if words[-1] != "number" else []  # "Number of Trainers" is a count
    around = [*words[:-1], *map(_singular, of)]
    return around[-1] not in _NO_PERSONS and not _PERSONS.isdisjoint(around) if around else words[-1] == "name"


def _singular(word: str) -> str:
    stems = (word.removesuffix(ending) for ending in ("s", "es"))
    return next((stem for stem in stems if stem in _PERSONS | _ABOUT), word)


def is_contact(
    label: str | None,
    name: str | None = None,
    item: str | None = None,
    value: str | None = None,
    href: str | None = None,
    *,
    is_person: bool = False,
) -> bool:
    """Whether a row of `fields` names a person or contains contact details. `is_person`: its markup is that of a person.

    Under a label that denotes a person, Yes, No and numbers of up to six digits are none, but a full date is; under "Phone" any
    number is.
    """
    if is_person or (href and is_personal_link(href)) or has_contact(value):
        return True
    if value and "\t" in value:  # a table has a column or a row for persons
        rows = [line.split("\t") for line in value[:MAX_SHORT].split("\n")]
        if any(denotes_person(cell) for cell in (*rows[0], *(row[0] for row in rows)) if cell):
            return True
    if item and denotes_person(item.rstrip(" 0123456789")):
        return True
    if not (denotes_person(label) if label else name and denotes_person(name)):
        return False
    if value is None:
        return True
    if yes_no(value) is not None and not value.strip().isdigit():
        return False
    is_count = re.fullmatch(r"[\d\s.,:%$/#-]*", value) and sum(map(str.isdigit, value)) < 7  # the shortest number has seven
    return not is_count or any(_singular(word) in _MEANS for word in label_key(label or name or "").replace("_", " ").split())
