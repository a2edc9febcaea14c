"""Create the table of idempotency keys."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("user_id", models.CharField(max_length=255)),
                ("key", models.CharField(max_length=255)),
                ("body_digest", models.CharField(max_length=64)),
                ("task_id", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "task_idempotency_key",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["user_id", "key"], name="task_idempotency_key_unique"
                    )
                ],
            },
        ),
    ]
