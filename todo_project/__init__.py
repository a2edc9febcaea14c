"""The Django project: settings, URLs, middleware, error handling, logging and the admin site."""
