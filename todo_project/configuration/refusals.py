"""Reports a refused setting as one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured


@contextmanager
def one_line_refusals() -> Iterator[None]:
    """Exit with code 1 and one line on standard error if a setting is refused."""
    try:
        yield
    except ImproperlyConfigured as error:
        sys.exit(" ".join(str(error).split()))
