"""SQL as SQLite reads it (3.34 and newer): tokens, statements, what refuses a transaction."""
