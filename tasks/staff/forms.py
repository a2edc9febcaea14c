"""The form that creates and edits a task."""

from typing import Any

from django import forms

from authn.tokens import USER_ID_MAX_LENGTH
from tasks.models import Task
from tasks.serializers import WRITABLE_FIELDS, TaskSerializer


class ExactTextField(forms.CharField):
    """A multi-line text that an unedited form leaves unchanged.

    Browsers send every line ending as CRLF.
    """

    widget = forms.Textarea

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        widget = forms.Textarea({"rows": rows, "cols": 80})
        super().__init__(strip=False, required=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> str | None:
        """Convert the line endings to LF."""
        text = super().to_python(value)
        return text and _with_lf(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the values, ignoring differences in line endings."""
        return _with_lf(initial or "") != _with_lf(data or "")


class TaskForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Applies the API's rules, with its messages except for the owner and for null characters.

    For an existing task, only changed fields are validated and written. A field counts as changed
    if it differs from the value that the page was rendered with, which the form sends back.
    Comparing with the stored value instead would revert changes that the user has made since.

    Source: docs/contract.md, "A task" and "Concurrency".
    """

    user_id = forms.CharField(
        label="Owner",
        strip=False,
        max_length=USER_ID_MAX_LENGTH,
        help_text="The user's id in Better Auth.",
    )
    title = ExactTextField(label="Title", rows=2)
    description = ExactTextField(label="Description", rows=6, empty_value=None)

    class Meta:
        model = Task
        fields = ("user_id", *WRITABLE_FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            # A field submitted without its initial value is compared with the stored value.
            is_omitted = self.is_bound and field.hidden_widget().value_omitted_from_data(
                self.data, self.files, self.add_initial_prefix(name)
            )
            field.show_hidden_initial = bool(self.instance.pk) and not is_omitted

    def clean(self) -> dict[str, Any]:
        """Validate with the API's serializer."""
        serializer = TaskSerializer(data=self.sent_values(), partial=bool(self.instance.pk))
        serializer.is_valid()
        for name, problems in serializer.errors.items():
            if name not in self.errors:
                self.add_error(name, [str(problem) for problem in problems])
        return self.cleaned_data

    def sent_values(self) -> dict[str, Any]:
        """Return the values to write: all fields of a new task, else the changed ones."""
        names = self.changed_data if self.instance.pk else self.fields
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


def _with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
