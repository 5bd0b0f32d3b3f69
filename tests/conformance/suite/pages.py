"""A browser as the suite has one: pages, forms, redirects, frames; it runs no JavaScript, so <noscript> counts."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

import httpx
from support.browser import PageForm, forms_of

MAX_STEPS = 20


@dataclass(frozen=True)
class Arrival:
    """A request that the browser was made to send to the relying party."""

    url: str
    method: str
    query: dict[str, str]
    fragment: dict[str, str]
    form: dict[str, str]

    @property
    def path(self) -> str:
        """Its URL without query and fragment."""
        return urldefrag(self.url)[0].partition("?")[0]


@dataclass(frozen=True)
class Page:
    """A page that the browser shows."""

    url: str
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def buttons(self) -> set[str]:
        """Ids of all buttons."""
        return {name for form in forms_of(self.text) for name in form.buttons if name}

    def form_with(self, button: str) -> PageForm:
        """Return the form that a button sends."""
        return next(form for form in forms_of(self.text) if button in form.buttons)


class _Loaded(HTMLParser):
    """What a browser fetches or follows by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[str] = []
        self.refresh: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "iframe" and given.get("src"):
            self.frames.append(given["src"])
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            _, _, target = given.get("content", "").partition("=")
            self.refresh = target.strip(" '\"") or None


@dataclass
class Browser:
    """Somebody's browser: it stops at a page, or where it reaches the relying party."""

    home: str
    """Origin of the relying party."""
    trust: ssl.SSLContext
    seen: list[str] = field(default_factory=list)
    """Ids of the buttons of all pages that were shown, in order."""

    def __post_init__(self) -> None:
        """Open it, without any cookie."""
        self.http = httpx.Client(verify=self.trust, follow_redirects=False, timeout=30)

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.http.close()

    def open(self, url: str, data: Mapping[str, str] | None = None) -> Page | Arrival:
        """Visit an address, by POST if there is data."""
        method = "GET" if data is None else "POST"
        for _ in range(MAX_STEPS):
            if self._is_home(url):
                return _arrival(url, method, data)
            response = self.http.request(method, url, data=data)
            target = response.headers.get("location")
            if response.status_code not in (301, 302, 303, 307, 308) or target is None:
                return self._show(response)
            url = urljoin(str(response.url), target)
            if response.status_code < 307:
                method, data = "GET", None
        raise AssertionError(f"more than {MAX_STEPS} redirects, the last to {url}")

    def press(self, page: Page, button: str, **fields: str) -> Page | Arrival:
        """Fill in the form of a button and send it."""
        form = page.form_with(button)
        name, value = form.buttons[button]
        data = {**form.fields, **fields, **({name: value} if name else {})}
        target = urljoin(page.url, form.action) if form.action else page.url
        assert form.method == "post"
        return self.open(target, data)

    def _show(self, response: httpx.Response) -> Page | Arrival:
        page = Page(str(response.url), response.status_code, response.text, response.headers)
        self.seen += sorted(page.buttons)
        found = _Loaded()
        found.feed(page.text)
        for frame in found.frames:
            self.http.get(urljoin(page.url, frame))
        if found.refresh is not None:
            return self.open(urljoin(page.url, found.refresh))
        for form in forms_of(page.text):
            if form.method == "post" and self._is_home(
                form.action
            ):  # the suite's own browser runs that script
                return self.open(form.action, form.fields)
        return page

    def _is_home(self, url: str) -> bool:
        return f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" == self.home


def _arrival(url: str, method: str, data: Mapping[str, str] | None) -> Arrival:
    parts = urlsplit(url)
    return Arrival(
        url=url,
        method=method,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        fragment=dict(parse_qsl(parts.fragment, keep_blank_values=True)),
        form=dict(data or {}),
    )


@dataclass(frozen=True)
class Person:
    """Who sits at the browser."""

    username: str
    password: str

    def go_through(self, browser: Browser, at: Page | Arrival, *, consent: bool = True) -> Page | Arrival:
        """Sign in and answer as often as asked; stop at any other page, or back at the relying party."""
        for _ in range(MAX_STEPS):
            if isinstance(at, Arrival):
                return at
            if "login-submit" in at.buttons:
                at = browser.press(at, "login-submit", username=self.username, password=self.password)
                if isinstance(at, Page):
                    assert "login-notice" not in at.text, "the password was refused"
            elif "consent-allow" in at.buttons:
                at = browser.press(at, "consent-allow" if consent else "consent-deny")
            else:
                return at
        raise AssertionError("there is no end to these pages")
