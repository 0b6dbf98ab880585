"""The captures' bytes as WARC files, and the catalog that finds them. The files are the truth; all else is made from them."""
