"""Pure functions from a page's bytes to a typed TTA record: no I/O but its own word lists; never imports `scraper`."""
