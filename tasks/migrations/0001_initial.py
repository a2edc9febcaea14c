"""Create the task table, or adopt the FastAPI back end's."""

from django.db import migrations, models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from tasks.adoption.operation import CreateOrAdoptTask


class Migration(migrations.Migration):
    initial = True
    atomic = False  # the operation opens its own transaction and builds the index outside it

    operations = [
        CreateOrAdoptTask(
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
    ]
