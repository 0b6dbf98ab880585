"""Made-up TTA pages with known truth: what the parser is measured against, by people who have not read it.

`invent` makes up what the site holds about one record (`content`), `render` turns that into bytes in a theme
(`options`), and `truth` says what the database must then hold. `others` has pages that are no records, `samples` the
demo's archive file.
"""
