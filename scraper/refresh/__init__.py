"""The nightly run: fetch, load, check, commit. `run` does it, `report` describes the result."""
