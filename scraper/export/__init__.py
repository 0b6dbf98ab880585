"""The database as files (`tta export`). The same database and options always give the same bytes.

`selection` chooses rows and columns, one module writes each format, `files` puts it in its place whole, `run` calls them.
"""
