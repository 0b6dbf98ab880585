"""The commands of `tta`, one module each; `scraper.cli` gathers them."""
