"""Takes over the task table of the plan's FastAPI back end. Delete it when no such table is left.

To delete: this folder, its import in ``tasks/apps.py``, and in ``tasks/migrations/0001_initial.py``
replace ``CreateOrAdoptTask`` by ``CreateModel`` and a ``RunSQL`` that starts the ids at 1001.
Nothing else refers to this package.
"""
