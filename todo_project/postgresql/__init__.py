"""Django's PostgreSQL back end, for a database behind a network and a pooler."""
