"""The nightly run: fetch, load, check, commit. `run` does it, `report` describes the result, `monitoring` logs and notifies."""
