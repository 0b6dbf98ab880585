-- `hosts` is a digest of the hosts whose pages were wanted.
CREATE TABLE IF NOT EXISTS read_files (
    address TEXT NOT NULL, hosts TEXT NOT NULL, read_at TEXT NOT NULL, PRIMARY KEY (address, hosts)
) STRICT, WITHOUT ROWID
