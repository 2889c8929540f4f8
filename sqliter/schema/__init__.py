"""Tables as SQL, and what the file says about the tables it has."""
