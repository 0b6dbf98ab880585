"""The database as files (`tta export`). The same database and options always give the same bytes."""
