"""What drivers share that run a file's statements one by one through Python's DB-API."""
