"""Verifies the data folder, and replaces what is damaged (docs/decisions/state-on-disk.md).

`verify` changes nothing, `repair` replaces. The WARC files are the truth: catalog, ledger and database are compared with the
captures that were just read from them, never with what the catalog lists.
"""
