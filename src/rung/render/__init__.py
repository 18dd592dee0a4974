"""
Shows values to people and to machines: text, terminal, JSON. Opens no connection.

Nothing is imported here, so that a command loads only the view that it prints.
"""
