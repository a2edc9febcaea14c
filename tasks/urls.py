"""The routes of the six endpoints.

A trailing slash is optional, because a redirect would lose the body or the token. Any segment is
accepted as a task id; the view treats an invalid one like a missing task.
"""

from django.urls import re_path

from tasks.views import TaskViewSet

TASKS = r"^api/(?P<user_id>[^/]+)/tasks"

urlpatterns = [
    re_path(
        rf"{TASKS}/?\Z",
        TaskViewSet.as_view({"get": "list", "post": "create"}),
        name="tasks",
    ),
    re_path(
        rf"{TASKS}/(?P<task_id>[^/]+)/?\Z",
        TaskViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}
        ),
        name="task",
    ),
    re_path(
        rf"{TASKS}/(?P<task_id>[^/]+)/complete/?\Z",
        TaskViewSet.as_view({"patch": "complete"}),
        name="task-complete",
    ),
]
