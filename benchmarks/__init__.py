"""How fast the library is, beside raw ``sqlite3`` and its peers."""
