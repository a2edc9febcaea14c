"""The frame: settings, routes, errors, what every answer carries."""
