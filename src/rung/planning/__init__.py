"""Decide what to run, from files, ledger and history. Opens no file and no connection."""
