"""The world atlas: real geographical data in one SQLite file, and questions about it.

Run it with ``sqliter-demo world``, or ``python -m examples.world`` in a checkout. Read
``models`` and ``blocking``, then ``questions`` and ``relations``: each question is
written once and runs in both colours.
"""
