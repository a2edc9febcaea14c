"""Parts of ``tasks/admin.py``; ``todo_project/staff/`` customises the admin site itself."""
