"""Django's PostgreSQL back end, for a remote database behind a pooler."""
