"""The admin site: sessions, login, lockout and static files.

Staff accounts are in ``todo_project/admin.py``, the task pages in ``tasks/admin.py`` and
``tasks/staff/``.
"""
