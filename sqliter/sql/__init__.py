"""SQL text and values from data; nothing here runs anything."""
