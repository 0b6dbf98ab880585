<<<<<<< HEAD
"""The commands of `tta`, one module each; `scraper.cli` gathers them."""
=======
"""The `tta` commands, one module each: options, wording and exit status. The work is done by the rooms they call."""
>>>>>>> main
