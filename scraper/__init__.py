"""The application: everything that touches network, disk or database. Pages are read by `parsers`, which never imports this."""
