"""Log-in, site and everything else that surrounds a staff page (with ``todo_project/admin.py``).

The pages of the tasks are in ``tasks/admin.py`` and ``tasks/staff/``.
"""
