"""The routes. ``contract_middleware`` turns Django's 404 for any other path into JSON."""

from django.conf import settings
from django.contrib import admin
from django.urls import path, re_path
from django.views.generic import RedirectView

import tasks.urls
from todo_project.openapi.views import docs, openapi, redoc
from todo_project.staff.static import static_file
from todo_project.status.health import health, ready
from todo_project.status.root import root

urlpatterns = [
    *tasks.urls.urlpatterns,  # without include(): wsgi.py resolves these itself
    re_path(r"^health/?\Z", health, name="health"),
    re_path(r"^health/ready/?\Z", ready, name="ready"),
    re_path(r"^\Z", root, name="root"),
    re_path(r"^openapi\.json\Z", openapi, name="openapi"),
    re_path(r"^docs/?\Z", docs, name="docs"),
    re_path(r"^redoc/?\Z", redoc, name="redoc"),
    re_path(
        r"^admin\Z",
        RedirectView.as_view(pattern_name="admin:index", query_string=True),
        name="admin",
    ),
    path("admin/", admin.site.urls),
    re_path(r"^static/", static_file, name="static"),
]

if settings.METRICS:
    from todo_project.metrics import metrics

    urlpatterns.append(re_path(r"^metrics/?\Z", metrics, name="metrics"))
