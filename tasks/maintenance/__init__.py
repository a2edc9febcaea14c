"""The logic of the management commands, callable from Python."""
