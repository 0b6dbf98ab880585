"""Verifies the data folder, and replaces what is damaged (docs/decisions/state-on-disk.md)."""
