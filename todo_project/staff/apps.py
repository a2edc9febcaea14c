"""The app configuration of Django's admin."""

from django.contrib.admin.apps import AdminConfig


class StaffConfig(AdminConfig):
    """Replaces Django's admin site with ``StaffSite``."""

    default_site = "todo_project.staff.site.StaffSite"
