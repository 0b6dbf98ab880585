"""Whether what lies in the data folder is whole and agrees with itself, and how it is mended (docs/decisions/state-on-disk.md).

`examine` asks, `repair` mends. `archive`, `ledger`, `database` and `leftovers` know what to look at, `records` what a sound
record is, `scratch` holds what was seen; `mend_*` hold what is done about it. The WARC files are the truth: everything else is
compared with what they were just read to hold, never with what the catalog says.
"""
