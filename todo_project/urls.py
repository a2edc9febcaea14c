"""All routes. What is none of them is a 404, which ``middleware`` words as JSON."""

from django.urls import include, re_path

from todo_project.health import health, ready

urlpatterns = [
    re_path(r"^health/?\Z", health, name="health"),
    re_path(r"^health/ready/?\Z", ready, name="ready"),
    re_path(r"", include("tasks.urls")),
]
