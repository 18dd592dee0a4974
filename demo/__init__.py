"""Demonstrate Rung on the chat service; run by `make demo`."""
