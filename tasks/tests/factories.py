"""Believable tasks. The same seed (``factory.random.reseed_random``) makes the same ones again."""

from typing import Any

import factory
import factory.django
from django.utils import timezone
from faker.providers import BaseProvider

from tasks.models import Task

TITLES = (
    "Book a table for {{random_digit_not_null}} in {{city}}",
    "Buy a present for {{first_name}}",
    "Call {{first_name}} about {{day_of_week}}",
    "Cancel the subscription at {{company}}",
    "Fix the kitchen tap",
    "Pay the invoice of {{company}}",
    "Pick {{first_name}} up from the station",
    "Renew the passport",
    "Reply to {{name}}",
    "Write the report for {{month_name}}",
)
DESCRIPTIONS = (
    "",
    "Ask for {{name}}, {{phone_number}}.",
    "Before {{day_of_week}}, or it is too late.",
    "{{address}}",
    "{{paragraph}}",
)


class TaskProvider(BaseProvider):
    """What people write on their lists."""

    def task_title(self) -> str:
        """Return a title."""
        title: str = self.generator.parse(self.random_element(TITLES))
        return title

    def task_description(self) -> str | None:
        """Return a description, or nothing, as most tasks have it."""
        if self.generator.boolean(chance_of_getting_true=60):
            return None
        description: str = self.generator.parse(self.random_element(DESCRIPTIONS))
        return description


factory.Faker.add_provider(TaskProvider)


class TaskFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]  # it has no types
    """Makes tasks as the API does, so that the model's rules hold for them."""

    class Meta:
        model = Task

    user_id = "alice"
    title = factory.Faker("task_title")
    description = factory.Faker("task_description")
    completed = factory.Faker("boolean", chance_of_getting_true=30)

    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


def rows() -> list[tuple[Any, ...]]:
    """Read every stored task, whoever it belongs to: what a refusal must leave as it was."""
    return list(Task.objects.order_by("id").values_list())
