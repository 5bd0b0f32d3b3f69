"""A browser without a window: cookies, redirects and forms, as a person uses them; no JavaScript."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx


@dataclass
class PageForm:
    """A form of a page: where it posts, and what it sends unless told otherwise."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name and value of each submit button by its id."""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PageForm(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "input" and self.forms and given.get("name") and given.get("type") != "submit":
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons[given.get("id", "")] = (given.get("name", ""), given.get("value", ""))


def forms_of(page: str) -> list[PageForm]:
    """Return the forms of a page in order."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


class Browser:
    """Follows redirects as long as they stay on the server; a redirect elsewhere is where it stops."""

    def __init__(self, home: str) -> None:
        """Take the server's URL."""
        self.home = home
        self.http = httpx.Client(base_url=home, follow_redirects=False, timeout=30)
        self.page: httpx.Response | None = None

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self.http.close()

    def get(self, url: str) -> httpx.Response:
        """Open a page."""
        return self._follow(self.http.get(urljoin(self.home, url)))

    def submit(self, button: str | None = None, /, **values: str) -> httpx.Response:
        """Send the first form of the page, with some fields filled in, by a button of that id."""
        assert self.page is not None
        form = forms_of(self.page.text)[0]
        data = {**form.fields, **values}
        if button is not None:
            name, value = form.buttons[button]
            data.update({name: value} if name else {})
        return self._follow(self.http.post(urljoin(str(self.page.url), form.action), data=data))

    def sign_in(self, username: str, password: str) -> httpx.Response:
        """Fill in the login page that is open."""
        return self.submit("login-submit", username=username, password=password)

    def _follow(self, response: httpx.Response) -> httpx.Response:
        for _ in range(10):
            target = response.headers.get("location")
            if (
                target is None
                or urlsplit(urljoin(str(response.url), target)).netloc != urlsplit(self.home).netloc
            ):
                break
            response = self.http.get(urljoin(str(response.url), target))
        self.page = response
        return response


def sent_back(response: httpx.Response) -> dict[str, str]:
    """Return the parameters of an authorization response in the query of its redirect."""
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))
