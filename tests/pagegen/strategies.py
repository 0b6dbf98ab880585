"""Hypothesis strategies over pages.

They draw `Case`s, whose repr is short: a failure shows seed, theme and options in place of 40 KB of HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from hypothesis import strategies as st

from tests.pagegen import options as how
from tests.pagegen.content import Content
from tests.pagegen.invent import invent
from tests.pagegen.options import THEMES, Options, Theme
from tests.pagegen.render import render
from tests.pagegen.render_text import extracted_page, prose_page
from tests.pagegen.truth import Page

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)


@dataclass(frozen=True)
class Case:
    """A made-up record's page: the same three things give the same page."""

    seed: int
    theme: Theme = "bootstrap3"
    options: Options = how.PLAIN

    @property
    def content(self) -> Content:
        return invent(self.seed)

    def page(self) -> Page:
        return render(self.content, self.theme, self.options)

    def text(self) -> Page:
        """The record in the first text form; of the options, the body's shape counts."""
        return extracted_page(self.content, Options(body=self.options.body))

    def prose(self) -> Page:
        """The record in the second text form."""
        return prose_page(self.content)


def _one_of(kind: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(get_args(kind))


def any_options(*, cut: bool = False, **fixed: Any) -> st.SearchStrategy[Options]:
    """Options drawn freely, but for those fixed by name; `cut` also draws pages that end early."""
    drawn: dict[str, st.SearchStrategy[Any]] = {
        "labels": _one_of(how.Labels),
        "label_tag": _one_of(how.LabelTag),
        "wrapper": _one_of(how.Wrapper),
        "milestones": _one_of(how.GroupShape),
        "body": _one_of(how.BodyShape),
        "empty": _one_of(how.EmptyShape),
        "charset": _one_of(how.Charset),
        "keep": st.floats(0.3, 0.99) if cut else st.none(),
    }
    switches = ("rdf", "quickedit", "twig_debug", "wayback", "translated", "furniture", "related")
    ugly = ("plain_dates", "items_always", "fake_fields", "unclosed", "alias", "numberless")
    drawn |= {name: st.booleans() for name in (*switches, *ugly)}
    drawn |= {name: st.just(value) for name, value in fixed.items()}
    return st.builds(Options, **drawn)


def cases(themes: Iterable[Theme] = THEMES, options: st.SearchStrategy[Options] | None = None) -> st.SearchStrategy[Case]:
    """Records in any of the themes; without `options`, in the shape seen most often."""
    chosen = st.just(how.PLAIN) if options is None else options
    return st.builds(Case, SEEDS, st.sampled_from(tuple(themes)), chosen)
