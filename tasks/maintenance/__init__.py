"""What the management commands do, callable without a command line."""
