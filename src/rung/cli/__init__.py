"""
The command `rung`: parse, call one library function, render its result.

Only here are the environment and pyproject.toml read, signals handled and questions asked.
"""
