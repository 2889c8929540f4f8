"""Questions as data, and the SQL that answers them."""
