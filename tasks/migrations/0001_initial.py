"""The task table, whose ids start at 1001."""

from typing import Any

from django.db import migrations, models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

FIRST_ID = 1001


def start_ids_after_the_demo_cards(apps: Any, schema_editor: Any) -> None:
    """Leave the ids 1 to 3 free: the front end's demo cards call the API with them.

    Source: contract.md "What goes beyond the plan", demo cards.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE task ALTER COLUMN id RESTART WITH {FIRST_ID}")
    else:
        schema_editor.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('task', %s)", [FIRST_ID - 1]
        )


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("user_id", models.CharField(max_length=255)),
                ("title", models.CharField(max_length=200)),
                ("description", models.CharField(blank=True, max_length=1000, null=True)),
                ("completed", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
            ],
            options={
                "db_table": "task",
                "indexes": [models.Index(fields=["user_id", "id"], name="ix_task_user_id_id")],
                "constraints": [
                    models.CheckConstraint(
                        condition=LessThanOrEqual(Length("user_id"), 255),
                        name="task_user_id_length",
                    ),
                    models.CheckConstraint(
                        condition=LessThanOrEqual(Length("title"), 200),
                        name="task_title_length",
                    ),
                    models.CheckConstraint(
                        condition=LessThanOrEqual(Length("description"), 1000),
                        name="task_description_length",
                    ),
                ],
            },
        ),
        migrations.RunPython(start_ids_after_the_demo_cards, migrations.RunPython.noop),
    ]
