"""Django's admin, with a site of our own."""

from django.contrib.admin.apps import AdminConfig


class StaffConfig(AdminConfig):
    """Puts ``StaffSite`` in the place of Django's own site."""

    default_site = "todo_project.staff.site.StaffSite"
