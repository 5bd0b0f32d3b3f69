"""The page about workloads is enough: its commands and its programs are run as they stand."""

import json
import re
import shlex
from pathlib import Path

import httpx
import pytest
from security.driving import PASSWORD, Browser, Door, basic
from security.house import House
from support.elsewhere import Web
from support.foreign_issuers import ForeignIssuer
from test_manual import blocks

from portula.cli.main import flask_group

PAGE = "docs/workloads.md"
TEXT = (Path(__file__).resolve().parents[1] / PAGE).read_text(encoding="utf-8")
HOST = "https://id.example.com"
ISSUER = f"{HOST}/o"
RUNNER = "https://runner.example.com"


def code(name):
    """Return what the Python of a file on the page defines."""
    (block,) = [block for block in blocks(PAGE) if block.startswith(f"# {name}\n")]
    namespace = {"__name__": "manual"}
    exec(block, namespace)
    return namespace


def commands():
    """Return the commands of the page, in order."""
    consoles = re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    lines = [line for text in consoles for line in text.replace("\\\n", " ").splitlines()]
    return [shlex.split(line.removeprefix("$ ")) for line in lines]


class Place:
    """The provider of the page, with its accounts and clients, and those who sign for its workloads."""

    def __init__(self):
        given = code("config.py")
        self.github, self.cluster = (
            ForeignIssuer(lambda: self.house.clock.time, given[name], "RS256")
            for name in ("GITHUB", "CLUSTER")
        )
        settings = given["OAUTH2_PROVIDER"]
        self.web = Web(None)
        for issuer in (self.github, self.cluster):
            place = settings["JWT_BEARER_TRUSTED_ISSUERS"][issuer.name]["jwks_uri"]
            self.web.documents[place] = json.dumps(issuer.key.jwks).encode()
        self.house = House(self.web, **settings, PLUGINS_CHOICE={"fetcher": "Web"})
        self.secrets = dict(self.made())
        self.door = Door(self.house.app, HOST)
        runner = httpx.MockTransport(self.runner)
        provider = httpx.WSGITransport(app=self.house.app)
        self.http = httpx.Client(mounts={HOST: provider, RUNNER: runner})
        self.asked = []

    def made(self):
        """Run the commands; yield the secrets of the clients that they make."""
        self.house.app.cli.add_command(flask_group, "portula")
        cli = self.house.app.test_cli_runner()
        for words in commands():
            done = cli.invoke(args=words, input=f"{PASSWORD}\n{PASSWORD}\n")
            assert done.exit_code == 0, done.output
            if words[1] == "createapplication":
                client_id = words[words.index("--client-id") + 1]
                yield client_id, re.search(r"client_secret[: ]+(\S+)", done.output).group(1)
        self.stock = self.house.client(client_id="stock")

    def runner(self, request):
        """Answer a job as the CI service does."""
        assert request.headers["Authorization"] == "Bearer of the job"
        self.asked.append(request.url.params["audience"])
        sub = "repo:octo/tea:environment:production"
        return httpx.Response(200, json={"value": self.github.sign(sub=sub, aud=self.asked[-1])})

    def told(self, token):
        """Return what the stock learns of a token."""
        return self.door.introspect(self.stock, token).json

    def subject(self, name):
        return self.house.users.find_by_name(name).sub


@pytest.fixture(scope="module")
def place():
    return Place()


def refused(answer):
    return answer.value.response.json()["error"]


def test_a_job_gets_a_token_for_what_its_ci_service_signs(place, monkeypatch):
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{RUNNER}/token?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the job")
    monkeypatch.setenv("CI_CLIENT_SECRET", place.secrets["ci"])
    told = place.told(code("job.py")["token_for_job"](place.http))
    assert (told["sub"], told["scope"]) == (place.subject("deployer"), "deploy")
    assert place.asked[-1] == ISSUER


@pytest.mark.parametrize(
    "sub",
    [
        "repo:octo/tea:ref:refs/heads/main",
        "repo:octo/tea:environment:production2",
        "repo:mallory/tea:environment:production",
        "repo:octo/tea:pull_request",
    ],
)
def test_another_job_gets_none(place, sub):
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "scope": "deploy"}
    form["assertion"] = place.github.sign(sub=sub, aud=ISSUER)
    answer = place.http.post(f"{ISSUER}/token/", auth=("ci", place.secrets["ci"]), data=form)
    assert answer.json()["error"] == "invalid_grant"


def mounted(place, folder, sub="system:serviceaccount:shop:orders", **changes):
    """Return the file that a cluster mounts: a token as its API server makes it."""
    (audience,) = re.findall(r"audience: (\S+)", TEXT)
    (seconds,) = re.findall(r"expirationSeconds: (\d+)", TEXT)
    now = place.house.clock.time
    claims = {
        "aud": [audience],
        "nbf": now,
        "exp": now + int(seconds),
        "kubernetes.io": {"namespace": "shop"},
    }
    file = folder / "token"
    file.write_text(place.cluster.sign(typ=None, sub=sub, **{**claims, **changes}))
    return file


def test_a_pod_gets_a_token_for_what_its_cluster_signs(place, tmp_path):
    token_for_pod = code("pod.py")["token_for_pod"]
    file = mounted(place, tmp_path)
    told = place.told(token_for_pod(place.http, place.secrets["pods"], file))
    assert (told["sub"], told["scope"]) == (place.subject("orders"), "stock")
    assert told["aud"] in ("https://stock.example.com/", ["https://stock.example.com/"])
    with pytest.raises(httpx.HTTPStatusError) as again:
        token_for_pod(place.http, place.secrets["pods"], file)
    assert refused(again) == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "system:serviceaccount:shop:other"},
        {"sub": "system:serviceaccount:shopping:orders"},
        {"aud": ["https://kubernetes.default.svc"]},
        {"aud": [ISSUER, "https://kubernetes.default.svc"]},
        {"exp": 1_700_000_000 + 3600},
    ],
    ids=str,
)
def test_another_token_of_the_cluster_is_none(place, tmp_path, changes):
    file = mounted(place, tmp_path, **changes)
    with pytest.raises(httpx.HTTPStatusError) as answer:
        code("pod.py")["token_for_pod"](place.http, place.secrets["pods"], file)
    assert refused(answer) == "invalid_grant"


def test_a_service_and_a_person_go_through_the_gateway(place):
    own = code("service.py")["token_for_service"](place.http, place.secrets["reports"])
    token_for_stock = code("gateway.py")["token_for_stock"]
    made = token_for_stock(place.http, place.secrets["gateway"], own)
    told = place.told(made)
    assert (told["sub"], told["act"]["sub"], told["scope"]) == ("reports", "gateway", "stock")
    assert told["aud"] in ("https://stock.example.com/", ["https://stock.example.com/"])
    place.door.post("/o/revoke_token/", {"token": own}, basic("reports", place.secrets["reports"]))
    assert place.told(made) == {"active": False}

    shop = place.house.client(scope="stock")
    both = ["https://gateway.example.com/", "https://stock.example.com/"]
    given, verifier = Browser(place.house.app, HOST).code(shop, scope="stock", resource=both)
    token = place.door.redeem(shop, given, verifier).json["access_token"]
    told = place.told(token_for_stock(place.http, place.secrets["gateway"], token))
    assert (told["sub"], told["act"]["sub"]) == (place.house.ann.sub, "gateway")


def test_another_service_does_not(place):
    other = place.house.client(grant_types=("client_credentials",), redirect_uris=(), scope="stock")
    form = {"grant_type": "client_credentials", "scope": "stock"}
    token = place.door.token(other, **form).json["access_token"]
    with pytest.raises(httpx.HTTPStatusError) as answer:
        code("gateway.py")["token_for_stock"](place.http, place.secrets["gateway"], token)
    assert refused(answer) == "invalid_request"
