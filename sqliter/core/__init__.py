"""The vocabulary of the library: statements, steps, scopes, faults, the cache.

Nothing here opens a file, starts a thread or knows an event loop.
"""
