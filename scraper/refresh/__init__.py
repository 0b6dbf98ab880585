"""The nightly run: fetch, load, check, commit. `run` leads it, `report`, `log` and `healthcheck` tell of it."""
