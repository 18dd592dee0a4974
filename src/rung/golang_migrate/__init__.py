"""
golang-migrate's command line, word for word, on Rung's engine.

Flags, messages, prompts and exit codes are golang-migrate's, and every message goes to stderr. The
effect on the database is Rung's: docs/reference/differences-from-golang-migrate.md lists where and
why it differs. Nothing here runs SQL or decides what is applied.
"""
