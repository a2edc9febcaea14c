"""Adopts the FastAPI back end's task table. Delete this package once no such database is left.

1. Delete this folder, and ``TasksConfig.ready`` in ``tasks/apps.py``.
2. In ``tasks/migrations/0001_initial.py``, replace ``CreateOrAdoptTask`` with
   ``migrations.CreateModel``, remove ``atomic = False``, and add
   ``migrations.RunPython(start_ids_at_1001, migrations.RunPython.noop)`` as the second
   operation::

    def start_ids_at_1001(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("ALTER TABLE task ALTER COLUMN id RESTART WITH 1001")
        else:
            schema_editor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('task', 1000)")

3. Delete ``docs/adoption.md``, and ``old_database`` in ``conftest.py``. ``make test-quick`` then
   lists the pages that still mention this package.
"""
