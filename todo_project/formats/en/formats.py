"""Formats of Django's template filters and of the admin.

Source: Django, "Format localization", creating custom format files.
"""

# 2026-11-30 17:20:05 UTC
DATETIME_FORMAT = "Y-m-d H:i:s e"
