"""``/openapi.json``, and the pages ``/docs`` and ``/redoc`` that show it."""
