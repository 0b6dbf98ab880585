"""Where captures come from. Each source yields `Capture`s; none knows of the archive's files, the parsers or the database."""
