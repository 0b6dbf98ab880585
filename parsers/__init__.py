"""Pure functions from a page's bytes to a typed TTA record: no network, no disk, no database, no import of `scraper`."""
