"""Believable tasks. The same seed (``factory.random.reseed_random``) makes the same ones again."""

import calendar

import factory
import factory.django
from django.utils import timezone
from faker.providers import BaseProvider

from tasks.models import Task

TITLES = (
    "Ask {{first_name}} for the {{document}}",
    "Book a table for {{digit}} in {{city}}",
    "Buy a present for {{first_name}}",
    "Buy {{grocery}} and {{grocery}}",
    "Call {{first_name}} about {{weekday}}",
    "Cancel the subscription at {{company}}",
    "Clean the {{place}}",
    "Fix the {{thing}}",
    "Look for a new {{thing}}",
    "Make an appointment with Dr. {{last_name}}",
    "Pay the invoice of {{company}}",
    "Pick {{first_name}} up from the station",
    "Plan the trip to {{city}}",
    "Read the {{document}} from {{company}}",
    "Renew the {{document}} before {{month}}",
    "Reply to {{name}}",
    "Return the {{thing}} to {{first_name}}",
    "Send the {{document}} to {{name}}",
    "Tidy up the {{place}} before {{weekday}}",
    "Write the report for {{month}}",
)
DESCRIPTIONS = (
    "",
    "Ask for {{name}}, {{phone_number}}.",
    "Before {{weekday}}, or it is too late.",
    "{{address}}",
    "{{first_name}} knows more about it.",
    "The {{document}} is in the {{place}}.",
)
DOCUMENTS = ("contract", "insurance policy", "passport", "receipt", "tax return", "timetable")
GROCERIES = ("apples", "bread", "cheese", "coffee", "eggs", "milk", "onions", "rice", "tomatoes")
PLACES = ("attic", "balcony", "basement", "car", "desk", "fridge", "garage", "kitchen")
THINGS = ("bicycle", "bookshelf", "doorbell", "drill", "kettle", "lamp", "printer", "tap", "tent")


class TaskProvider(BaseProvider):
    """What people write on their lists.

    Faker's own days and months depend on today's date, and a seed would not make the same again.
    """

    def task_title(self) -> str:
        """Return a title, a short phrase with a verb."""
        title: str = self.generator.parse(self.random_element(TITLES))
        return title

    def task_description(self) -> str | None:
        """Return a description, or nothing, as most tasks have it."""
        if self.generator.boolean(chance_of_getting_true=60):
            return None
        description: str = self.generator.parse(self.random_element(DESCRIPTIONS))
        return description

    def weekday(self) -> str:
        """Return the name of a day."""
        return self.random_element(list(calendar.day_name))

    def month(self) -> str:
        """Return the name of a month."""
        return self.random_element(calendar.month_name[1:])

    def digit(self) -> int:
        """Return how many people may come."""
        return self.random_int(2, 9)

    def document(self) -> str:
        """Return something that is written."""
        return self.random_element(DOCUMENTS)

    def grocery(self) -> str:
        """Return something to eat or drink."""
        return self.random_element(GROCERIES)

    def place(self) -> str:
        """Return a place at home."""
        return self.random_element(PLACES)

    def thing(self) -> str:
        """Return something to have."""
        return self.random_element(THINGS)


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
