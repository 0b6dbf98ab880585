"""The polite HTTP client: which hosts may be contacted, request rates, retries, limits of answers. Not specific to an archive."""
