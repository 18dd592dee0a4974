"""
What Go's standard library does, as far as golang-migrate's command line shows it. Pure.

Flags, numbers, quotes, durations, time layouts and zones, URLs and paths: the same words are
taken and refused, in the same sentences. Knows nothing of migrations. One thing is better:
no message has a password in it.
"""
