"""Made-up TTA pages with known truth: what the parser is measured against, by people who have not read it.

`invent` makes up what the site contains about one record (`content`), `render` prints it in a theme (`options`) or
`render_text` as text, and `truth` says what the database must then contain (`tests.quality` compares). `others` has
pages that are no records, `strategies` records for Hypothesis, `samples` the demo's archive file.

    page = make_page(seed=7, theme="olivero", options=Options(labels="mixed", wayback=True))
    page.data, page.content_type, page.url      # what a parser is given
    page.truth.fields, page.truth.columns       # what it has to find

The pages follow DOMAIN.md and the structure of Drupal's own templates, not any parser. Where the contract leaves open
how something is to be read, the truth leaves it open too (`FieldTruth.certain`, `PageTruth.columns`).
"""
