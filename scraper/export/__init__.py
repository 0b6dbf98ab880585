"""The database as files (`tta export`). The same database and options always give the same bytes.

`selection` says which rows and columns, `csvfile`, `flat`, `jsonl`, `geojson`, `parquet` and `datapackage` write one format each,
`files` puts them in their place whole, `manifest` says what was written, `run` calls them.
"""
