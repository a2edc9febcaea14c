"""A member of staff with a browser."""

import re

from todo_project.tests.live_server import LiveServer
from todo_project.tests.staff import ACCOUNT, PASSWORD


def signed_in(server: LiveServer) -> bytes:
    """Sign in to the admin, and return the header lines of a browser."""
    with server.client() as client:
        page = client.get("/admin/login/")
        [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        form = {"username": ACCOUNT["DJANGO_SUPERUSER_USERNAME"], "password": PASSWORD}
        form |= {"csrfmiddlewaretoken": token, "next": "/admin/"}
        cookie = f"csrftoken={client.cookies['csrftoken']}"
        signed_in = client.post("/admin/login/", data=form, headers={"Cookie": cookie})
        assert signed_in.status_code == 302, signed_in.text
        cookies = dict(signed_in.cookies.items())
    lines = (
        "Host: localhost",
        f"Cookie: csrftoken={cookies['csrftoken']}; sessionid={cookies['sessionid']}",
        f"X-CSRFToken: {cookies['csrftoken']}",
        "Content-Type: application/x-www-form-urlencoded",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()
