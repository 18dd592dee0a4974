"""SQL as PostgreSQL 14 to 18 read it: tokens, statements, what refuses a transaction."""
