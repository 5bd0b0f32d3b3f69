"""TRUSTED_PROXIES: whose address counts as the client's."""

import pytest
from hosting import Memory, make_app
from hypothesis import given
from hypothesis import strategies as st

from portula import Provider, hookimpl
from portula.plugin import Endpoint, json_answer
from portula.web.http import client_address

PEER = "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, PEER),
        (0, "203.0.113.9", PEER),
        (1, None, PEER),
        (1, "", PEER),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6,203.0.113.9", "203.0.113.9"),
        (1, " 6.6.6.6 , , 203.0.113.9 ,", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (3, "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "203.0.113.9:1000", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9:61000", "203.0.113.9"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "[2001:db8::1]:1000", "2001:db8::1"),
        (1, '"[2001:db8::1]:1000"', "2001:db8::1"),
        (1, "2001:db8::1000", "2001:db8::1000"),
        (1, "::ffff:203.0.113.9", "::ffff:203.0.113.9"),
        (1, "host:port", "host:port"),
        (1, "[", "["),
        (1, ":1000", ":1000"),
        (2, "203.0.113.9:1000, 10.0.0.1:2000", "203.0.113.9"),
    ],
)
def test_as_many_hops_are_believed_as_there_are_proxies(proxies, forwarded, expected):
    environ = {"REMOTE_ADDR": PEER} | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})
    assert client_address(environ, proxies) == expected


addresses = st.lists(st.sampled_from(["6.6.6.6", "7.7.7.7", "", " ", "garbage"]), max_size=5).map(",".join)


@given(forged=addresses, proxies=st.integers(1, 4))
def test_what_a_client_forges_never_changes_its_address(forged, proxies):
    """Each proxy appends the address it saw: the client's, then those of the proxies before it."""
    appended = ["203.0.113.9", *(f"10.0.0.{number}" for number in range(1, proxies))]
    header = ", ".join([forged, *appended])
    assert client_address({"REMOTE_ADDR": PEER, "HTTP_X_FORWARDED_FOR": header}, proxies) == "203.0.113.9"


@pytest.mark.parametrize(("proxies", "expected"), [(0, PEER), (1, "203.0.113.9")])
def test_the_setting_holds_for_machine_endpoints_and_for_pages(proxies, expected):
    class Room:
        @hookimpl
        def portula_endpoints(self, provider):
            return [
                Endpoint(
                    "me", "me", ("GET",), lambda message: json_answer(200, {"at": message.client_address})
                )
            ]

    app = make_app(TRUSTED_PROXIES=proxies)
    provider = Provider(app, plugins=[Room(), Memory()], discover=False)
    app.add_url_rule("/page", view_func=lambda: {"at": provider.client_address()})
    keywords = {
        "headers": {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"},
        "environ_overrides": {"REMOTE_ADDR": PEER},
    }
    for path in ("/o/me", "/page"):
        assert app.test_client().get(path, **keywords).json == {"at": expected}
