"""S54: whoever names a URL to the provider cannot make it knock where strangers may not go."""

import socket
import threading
from ipaddress import ip_address

import pytest

import portula_fetch
from portula import Plugin
from portula.errors import FetchFailed
from portula_testing.provider import make_provider
from portula_testing.tls import Authority, HttpsServer, Reply

NAME = "keys.client.example"

NOT_PUBLIC = [
    "0.0.0.0",  # unspecified
    "0.1.2.3",  # this network
    "10.0.0.1",  # private
    "10.255.255.255",
    "100.64.0.1",  # shared by carriers
    "100.100.100.200",  # metadata of a cloud
    "100.127.255.255",
    "127.0.0.1",  # loopback
    "127.255.255.254",
    "168.63.129.16",  # a cloud's own services
    "169.254.0.1",  # link local
    "169.254.169.254",  # metadata of most clouds
    "169.254.170.2",  # credentials of containers
    "172.16.0.1",  # private
    "172.31.255.255",
    "192.0.0.1",  # protocol assignments
    "192.0.0.192",  # metadata of a cloud
    "192.0.2.1",  # documentation
    "192.31.196.1",  # AS112
    "192.52.193.1",  # AMT
    "192.88.99.1",  # 6to4 relays
    "192.168.0.1",  # private
    "192.175.48.1",  # AS112
    "198.18.0.1",  # benchmarks
    "198.19.255.255",
    "198.51.100.1",  # documentation
    "203.0.113.1",  # documentation
    "224.0.0.1",  # multicast
    "239.255.255.255",
    "240.0.0.1",  # reserved
    "255.255.255.255",  # broadcast
    "::",  # unspecified
    "::1",  # loopback
    "::127.0.0.1",  # IPv4-compatible
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:10.0.0.1",
    "::ffff:93.184.215.14",  # mapped, of a public address
    "::ffff:0:127.0.0.1",  # IPv4-translated
    "64:ff9b::127.0.0.1",  # NAT64
    "64:ff9b::5db8:d70e",
    "64:ff9b:1::10.0.0.1",  # local NAT64
    "100::1",  # discard
    "100:0:0:1::1",  # dummy
    "2001::1",  # Teredo
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:1::1",  # port control
    "2001:2::1",  # benchmarks
    "2001:3::1",  # AMT
    "2001:4:112::1",  # AS112
    "2001:10::1",  # ORCHID
    "2001:20::1",  # ORCHIDv2
    "2001:30::1",  # drones
    "2001:db8::1",  # documentation
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",  # 6to4 of 10.0.0.1
    "2620:4f:8000::1",  # AS112
    "3fff::1",  # documentation
    "4000::1",  # not given to anybody
    "5f00::1",  # SRv6
    "fc00::1",  # unique local
    "fd00:ec2::254",  # metadata of a cloud
    "fe80::1",  # link local
    "fe80::1%1",
    "fec0::1",  # site local
    "ff02::1",  # multicast
    "ff0e::1",
]
PUBLIC = [
    "1.1.1.1",
    "93.184.215.14",
    "172.32.0.1",
    "100.128.0.1",
    "192.0.1.1",
    "2606:4700::1111",
    "2a00:1450::1",
]


class Resolver:
    """Answers for names as it is told, and counts; addresses go to the system's own."""

    def __init__(self):
        self.real = socket.getaddrinfo
        self.answers = []
        self.asked = []

    def __call__(self, host, port, *args, **named):
        try:
            ip_address(host)
        except ValueError:
            self.asked.append(host)
            found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return [self.place(address, port) for address in found]
        return self.real(host, port, *args, **named)

    @staticmethod
    def place(address, port):
        if ":" in address:
            return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
        return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


@pytest.fixture
def resolver(monkeypatch):
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.fixture
def connected(monkeypatch):
    """Where connections are made to; they all fail."""
    places = []

    def connect(place, *_args, **_named):
        places.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    return places


@pytest.fixture
def fetcher():
    return make_provider(portula_fetch, settings={"FETCH_FAILURE_BACKOFF_SECONDS": 0}).hooks.ask(
        Plugin.portula_fetcher
    )


@pytest.fixture
def server(tmp_path):
    authority = Authority()
    authority.write(tmp_path)
    with HttpsServer(authority, tmp_path, NAME) as server:
        yield server


def why(fetch, *arguments, **named):
    with pytest.raises(FetchFailed) as caught:
        fetch(*arguments, **named)
    return str(caught.value)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_with_an_address_that_is_not_public_is_not_asked(fetcher, resolver, connected, address):
    resolver.answers = [[address]]
    assert "is not public" in why(fetcher.get, f"https://{NAME}/", accept=())
    assert "is not public" in why(fetcher.post, f"https://{NAME}/", {"logout_token": "x"})
    assert connected == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_not_asked(fetcher, connected, address):
    host = f"[{address}]" if ":" in address else address
    message = why(fetcher.get, f"https://{host}/", accept=())
    refusals = ("is not public", "neither a plain name nor a plain address", "an https URL in plain ASCII")
    assert any(words in message for words in refusals)
    assert connected == []


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_asked(fetcher, resolver, connected, address):
    resolver.answers = [[address]]
    assert "the connection failed" in why(fetcher.get, f"https://{NAME}/", accept=())
    assert connected == [(address, 443)]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_bad_address_among_good_ones_is_one_too_many(fetcher, resolver, connected, at):
    addresses = ["93.184.215.14", "2606:4700::1111"]
    addresses.insert(at, "10.0.0.1")
    resolver.answers = [addresses]
    assert "is not public" in why(fetcher.get, f"https://{NAME}/", accept=())
    assert connected == []


def test_a_name_that_resolves_elsewhere_a_moment_later_gains_nothing(fetcher, resolver, connected):
    """DNS rebinding: what was looked at is what is connected to."""
    resolver.answers = [["93.184.215.14"], ["127.0.0.1"]]
    assert "the connection failed" in why(fetcher.get, f"https://{NAME}/", accept=())
    assert connected == [("93.184.215.14", 443)]
    assert resolver.asked == [NAME]


def test_each_fetch_looks_at_the_addresses_anew(fetcher, resolver, connected):
    resolver.answers = [["93.184.215.14"], ["127.0.0.1"]]
    why(fetcher.get, f"https://{NAME}/", accept=())
    assert "is not public" in why(fetcher.get, f"https://{NAME}/", accept=())
    assert connected == [("93.184.215.14", 443)]


def test_the_connection_goes_to_the_address_and_tls_to_the_name(resolver, server, tmp_path):
    resolver.answers = [["127.0.0.1"], ["93.184.215.14"]]
    settings = {"FETCH_ALLOWED_PRIVATE_HOSTS": [NAME], "FETCH_CA_BUNDLE": str(tmp_path / "authority.pem")}
    fetcher = make_provider(portula_fetch, settings=settings).hooks.ask(Plugin.portula_fetcher)
    server.answer("/keys", Reply(body=b"x"))
    assert fetcher.get(f"https://{NAME}:{server.port}/keys", accept=()).body == b"x"
    (asked,) = server.asked
    assert (asked.server_name, asked.headers["host"]) == (NAME, f"{NAME}:{server.port}")


def test_all_addresses_are_tried_within_the_time(fetcher, resolver, connected):
    resolver.answers = [PUBLIC]
    why(fetcher.get, f"https://{NAME}/", accept=())
    assert [place[0] for place in connected] == PUBLIC


@pytest.mark.parametrize("count", [0, 17])
def test_a_name_with_no_or_very_many_addresses_is_not_asked(fetcher, resolver, connected, count):
    resolver.answers = [[f"93.184.215.{number}" for number in range(count)]]
    assert "address" in why(fetcher.get, f"https://{NAME}/", accept=())
    assert connected == []


def test_a_lookup_that_takes_too_long_ends_the_fetch(monkeypatch, connected):
    done = threading.Event()

    def stuck(*_args, **_named):
        done.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    settings = {"FETCH_TIMEOUT_SECONDS": 0.1, "FETCH_MAX_CONCURRENT": 1, "FETCH_FAILURE_BACKOFF_SECONDS": 0}
    fetcher = make_provider(portula_fetch, settings=settings).hooks.ask(Plugin.portula_fetcher)
    for host in ("one.example", "two.example"):  # the second finds the resolver busy
        assert "was not resolved in time" in why(fetcher.get, f"https://{host}/", accept=())
    done.set()
    assert connected == []


@pytest.mark.parametrize(
    "url",
    [
        "http://{name}/",
        "ftp://{name}/",
        "file:///etc/passwd",
        "gopher://{name}/",
        "https:{name}/",
        "https:///{name}/",
        "https://{name}@10.0.0.1/",
        "https://a:b@{name}/",
        "https://@{name}/",
        "https://{name}/#fragment",
        "https://{name}/#",
        "https://{name}./",
        "https://.{name}/",
        "https://a..{name}/",
        "https://-a.{name}/",
        "https://{name}:0/",
        "https://{name}:22/",
        "https://{name}:65536/",
        "https://{name}:443a/",
        "https://{name}\\.evil.example/",
        "https://{name}%2eevil.example/",
        "https://{name}%00/",
        "https://{name}\t/",
        "https://{name}/\r\nHost: evil.example",
        "https://{name}/ HTTP/1.1",
        "https://b\u00fccher.example/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0X7F.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.01/",
        "https://127.0.0.1./",
        "https://example.127/",
        "https://[fe80::1%25eth0]/",
        "https://[127.0.0.1]/",
        "https://[::1/",
        "https://[v1.a]/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://{name}/" + "a" * 2048,
    ],
)
def test_a_url_that_two_programs_could_read_differently_is_not_even_looked_up(
    fetcher, resolver, connected, url
):
    given = url.format(name=NAME)
    why(fetcher.get, given, accept=())
    why(fetcher.post, given, {})
    assert (resolver.asked, connected) == ([], [])


def test_an_international_name_is_asked_in_its_ascii_form(fetcher, resolver, connected):
    resolver.answers = [["93.184.215.14"]]
    why(fetcher.get, "https://XN--bcher-kva.example/", accept=())
    assert resolver.asked == ["xn--bcher-kva.example"]
