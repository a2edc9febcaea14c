"""The form of a task."""

from typing import Any

from django import forms

from tasks.models import USER_ID_MAX_LENGTH, Task
from tasks.serializers import WRITABLE_FIELDS, TaskSerializer


class ExactTextField(forms.CharField):
    """A text of several lines that is left exactly as it is where nobody has changed it.

    A browser sends each line end as CRLF, whatever it was.
    """

    widget = forms.Textarea

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        widget = forms.Textarea({"rows": rows, "cols": 80})
        super().__init__(strip=False, required=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> str | None:
        """Return the text with the line ends of everywhere but browsers."""
        text = super().to_python(value)
        return text and _with_plain_line_ends(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether the text differs in more than its line ends."""
        return _with_plain_line_ends(initial or "") != _with_plain_line_ends(data or "")


class TaskForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none when it runs
    """Takes what the API takes, with the same words for what is refused.

    Of a task that exists only the fields that somebody has changed are looked at and written. What
    they were when the page was made comes back with the form: compared with what is stored now, a
    box that nobody has touched would undo what the user has done meanwhile.

    Source: issue "Staff and operators", edits; docs/contract.md, "A task", "Concurrency".
    """

    user_id = forms.CharField(
        label="Owner",
        strip=False,
        max_length=USER_ID_MAX_LENGTH,
        help_text="The user's id, exactly as Better Auth has it.",
    )
    title = ExactTextField(label="Title", rows=2)
    description = ExactTextField(label="Description", rows=6, empty_value=None)

    class Meta:
        model = Task
        fields = ("user_id", *WRITABLE_FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            # A form that was sent without, not by a page of ours, is compared with what is stored.
            field.show_hidden_initial = bool(self.instance.pk) and (
                not self.is_bound or self.add_initial_prefix(name) in self.data
            )

    def clean(self) -> dict[str, Any]:
        """Apply the API's rules."""
        serializer = TaskSerializer(data=self.sent_values(), partial=bool(self.instance.pk))
        serializer.is_valid()
        for name, problems in serializer.errors.items():
            if name not in self.errors:
                self.add_error(name, [str(problem) for problem in problems])
        return self.cleaned_data

    def sent_values(self) -> dict[str, Any]:
        """Return what is to be written, by field: everything, or what was changed."""
        names = self.changed_data if self.instance.pk else self.fields
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
