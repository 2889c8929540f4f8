"""Everything the library does, each written once as steps."""
