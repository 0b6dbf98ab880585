"""What was listed, whether it was fetched, and when to ask again: `DIR/ledger.db`."""
