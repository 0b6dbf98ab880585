"""The database as files (`tta export`). The same database and options always produce the same bytes."""
