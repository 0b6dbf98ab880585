"""Where captures come from. Each source yields `Capture`s. None uses the database; only `files` writes to the archive."""
