"""Tasks: the model, the API, the admin pages and the management commands."""
