"""The work of the management commands, callable from Python."""
