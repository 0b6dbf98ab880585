"""The ledger, `DIR/ledger.db`: what was listed, whether it was fetched, and when to request it again."""
