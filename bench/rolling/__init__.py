"""A rolling deploy of the chat service under constant load, with migrations of six kinds."""
