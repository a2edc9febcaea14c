"""How pages show times; ``FORMAT_MODULE_PATH`` in the settings names this package."""
