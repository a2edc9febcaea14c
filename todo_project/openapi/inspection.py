"""How drf-spectacular reads the authentication, the serializer and the view set."""

from typing import Any, cast

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
    OpenApiViewExtension,
)
from drf_spectacular.openapi import AutoSchema

from tasks.serializers import StrictBooleanField, TaskSerializer
from tasks.views import CREATE, UPDATE, TaskViewSet
from todo_project.openapi.answers import REFUSALS, headers, ref
from todo_project.openapi.operations import TASK_OPERATIONS, Operation, Success
from todo_project.openapi.schemas import FIELDS, SENT, TASKS

JSON = "application/json"


class BearerToken(OpenApiAuthenticationExtension):
    """The token, as the page's "Authorize" asks for it."""

    target_class = "authn.authentication.BetterAuthAuthentication"
    name = "BetterAuth"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token that Better Auth signed for this API. Its user is `{user_id}`.",
        }


class StrictFields(OpenApiSerializerFieldExtension):
    """The fields of a task that a client may set; what may be in them, ``schemas`` says."""

    target_class = "tasks.serializers.StrictField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return the JSON type."""
        return {"type": "boolean" if isinstance(self.target, StrictBooleanField) else "string"}


def component_name(serializer: TaskSerializer, direction: str) -> str:
    """Name the schema of what is answered, created, or changed."""
    if direction == "response":
        return "Task"
    return "TaskChanges" if serializer.partial else "NewTask"


class TaskSchema(OpenApiSerializerExtension):
    """A task as it is answered, created, or changed."""

    target_class = "tasks.serializers.TaskSerializer"

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Add to the serializer's fields what it does not say of them itself."""
        schema: dict[str, Any] = auto_schema._map_serializer(  # noqa: SLF001 - as its manual has it
            self.target, direction, bypass_extensions=True
        )
        name = component_name(self.target, direction)
        is_answer = name == "Task"
        fields = schema["properties"]
        for field in fields:
            fields[field] |= (FIELDS if is_answer else SENT)[field]
            if name == "TaskChanges" and fields[field]["type"] in ("string", "boolean"):
                fields[field]["type"] = [fields[field]["type"], "null"]
        if is_answer:
            schema["required"] = list(fields)
        return schema | {"description": TASKS[name], "additionalProperties": not is_answer}


class ContractSchema(AutoSchema):
    """Reads an action's paths, security and schemas from the code, and the rest from its row."""

    @property
    def _action(self) -> str:
        return cast(TaskViewSet, self.view).action

    @property
    def _row(self) -> Operation:
        return TASK_OPERATIONS[self._action]

    def get_operation_id(self) -> str:
        """Return the row's."""
        return self._row.name

    def get_tags(self) -> list[str]:
        """Group all six."""
        return ["tasks"]

    def get_request_serializer(self) -> TaskSerializer | None:
        """Return the one that the view reads a body with."""
        return {"create": CREATE, "update": UPDATE}.get(self._action)

    def get_response_serializers(self) -> TaskSerializer | None:
        """Return what an answer shows."""
        return None if self._action == "destroy" else CREATE

    def _get_serializer_name(
        self, serializer: Any, direction: str, bypass_extensions: bool = False
    ) -> str:
        return component_name(serializer, direction)

    def _get_parameters(self) -> list[dict[str, str]]:
        return []  # the row's

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Describe the operation as the row does."""
        operation = cast(dict[str, Any], super().get_operation(*args, **kwargs))
        if self._row.bodies:
            body = operation["requestBody"]
            body["required"] = True
            body["content"][JSON]["examples"] = {
                name: {"value": example} for name, example in self._row.bodies.items()
            }
        return described(self._row, operation)


class DescribedTasks(OpenApiViewExtension):
    """Puts the descriptions beside the view set, where no request passes them."""

    target_class = "tasks.views.TaskViewSet"

    def view_replacement(self) -> type[TaskViewSet]:
        """Return the view set with its descriptions."""

        class Described(TaskViewSet):
            schema = ContractSchema()

        return Described


def described(row: Operation, operation: dict[str, Any]) -> dict[str, Any]:
    """Add a row to what is known of an operation.

    Args:
        row: what is said of it.
        operation: with the schemas of those answers whose row names none.
    """
    found = operation.get("responses", {})
    answers = {
        str(status): _success(success, found.get(str(status), {}))
        for status, success in row.successes.items()
    }
    refusals = {str(REFUSALS[name].status): ref("responses", name) for name in row.refusals}
    return operation | {
        "operationId": row.name,
        "summary": row.summary,
        "description": row.description,
        "parameters": [ref("parameters", name) for name in row.parameters],
        "responses": dict(sorted((answers | refusals).items())),
    }


def _success(success: Success, found: dict[str, Any]) -> dict[str, Any]:
    answer = found | {"description": success.description, "headers": headers(*success.headers)}
    if success.schema:
        answer["content"] = {JSON: {"schema": ref("schemas", success.schema)}}
    if success.body is not None:
        answer["content"][JSON]["example"] = success.body
    if success.links:
        answer["links"] = {name: ref("links", name) for name in success.links}
    return answer
