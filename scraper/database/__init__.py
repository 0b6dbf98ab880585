"""The database `tta.db`: made of the archive, but for run history, overlays and matches. Readers use `connection`."""
