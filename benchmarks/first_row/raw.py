"""`sqlite3`: start, read a row, print a name, end."""

import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
print(db.execute("SELECT id, name, country FROM authors WHERE id = 1").fetchone()[1])
db.close()
