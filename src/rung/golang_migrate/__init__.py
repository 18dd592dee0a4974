"""
golang-migrate's command line, word for word, on Rung's engine.

Flags, messages, prompts and exit codes are golang-migrate's, and all that is said goes to
stderr. What becomes of the database is Rung's: where that differs, and why, stands in
docs/reference/differences-from-golang-migrate.md. Nothing here runs SQL or decides what is applied.
"""
