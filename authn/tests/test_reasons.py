"""The reasons for refusals in ``docs/better-auth.md`` match the code."""

import re

from django.conf import settings

from authn.permissions import IsPathUser
from authn.token_refusals import UNVERIFIED, VERIFIED

WITH_A_503 = {"jwks_unavailable", "no_session_table"}


def test_the_documentation_explains_every_reason() -> None:
    """``docs/better-auth.md`` must explain exactly the reasons logged with a 401 or 403."""
    page = (settings.BASE_DIR / "docs" / "better-auth.md").read_text()
    [table] = re.findall(r"^\| `reason` \| meaning \|\n(.*?)\n\n", page, re.DOTALL | re.MULTILINE)
    explained = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)))

    reasons = {*UNVERIFIED, *VERIFIED, "missing_token", IsPathUser.code}
    assert sorted(explained) == sorted(reasons - WITH_A_503)
