import pytest


@pytest.fixture(params=["POST", "PUT"])
def target(request: pytest.FixtureRequest, db: None) -> tuple[str, str]:
    """Name the method and the path of the two endpoints that read a body, one after the other."""
    # pytest may load this file before the settings are there
    from tasks.tests.factories import TaskFactory

    task = TaskFactory.create(user_id="alice")
    paths = {"POST": "/api/alice/tasks", "PUT": f"/api/alice/tasks/{task.id}"}
    return request.param, paths[request.param]
