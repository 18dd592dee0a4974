"""
The behaviour of Go's standard library that golang-migrate's command line shows. Pure.

Flags, numbers, quotes, durations, time layouts and zones, URLs and paths: the same texts are
accepted and rejected, with the same messages. Unlike Go's, no message contains a password. Nothing
here is about migrations.
"""
