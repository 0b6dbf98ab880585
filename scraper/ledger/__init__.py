"""What was listed, what became of it, and when to ask again: `DIR/ledger.db` and what is told from it."""
