"""Factory for realistic tasks, reproducible with ``factory.random.reseed_random``."""

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
    """A Faker provider of task titles and descriptions.

    Faker's own weekdays and months depend on the current date, so they are not reproducible.
    """

    def task_title(self) -> str:
        """Return a title: a short imperative phrase."""
        title: str = self.generator.parse(self.random_element(TITLES))
        return title

    def task_description(self) -> str | None:
        """Return a description, or ``None`` in 60 % of cases."""
        if self.generator.boolean(chance_of_getting_true=60):
            return None
        description: str = self.generator.parse(self.random_element(DESCRIPTIONS))
        return description

    def weekday(self) -> str:
        """Return the name of a weekday."""
        return self.random_element(list(calendar.day_name))

    def month(self) -> str:
        """Return the name of a month."""
        return self.random_element(calendar.month_name[1:])

    def digit(self) -> int:
        """Return a digit from 2 to 9."""
        return self.random_int(2, 9)

    def document(self) -> str:
        """Return a kind of document."""
        return self.random_element(DOCUMENTS)

    def grocery(self) -> str:
        """Return a grocery item."""
        return self.random_element(GROCERIES)

    def place(self) -> str:
        """Return a place in or around a home."""
        return self.random_element(PLACES)

    def thing(self) -> str:
        """Return a household object."""
        return self.random_element(THINGS)


factory.Faker.add_provider(TaskProvider)


class TaskFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]  # untyped
    """Builds valid tasks whose ``created_at`` and ``updated_at`` are equal."""

    class Meta:
        model = Task

    user_id = "alice"
    title = factory.Faker("task_title")
    description = factory.Faker("task_description")
    completed = factory.Faker("boolean", chance_of_getting_true=30)

    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")
