"""gunicorn: its worker and its own log lines. ``gunicorn.conf.py`` configures it."""
