"""Where a value comes from: its captures, its place on their pages, and what the archive contains there now."""
