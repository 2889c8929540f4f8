"""Engines carry operations out: they hold connections and decide how to wait.

They never see what a step means.
"""
