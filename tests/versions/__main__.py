"""Prints the SQL that makes an SQLite file again."""

import sys
from pathlib import Path

from tests.versions import dumped

for statement in dumped(Path(sys.argv[1])):
    sys.stdout.write(statement + "\n")
