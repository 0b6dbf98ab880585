"""The polite client: which addresses may be asked, how fast, how often again, and what an answer may cost. Knows no archive."""
