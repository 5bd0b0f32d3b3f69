"""The form of an answer is chosen by the request, as far as its client may choose (RFC 9110 §12.5.1)."""

import pytest
from security.house import House

from portula import ConfigError, hookimpl
from portula.plugin import Answer, AnswerFormat

TEA, GREEN, JSON = "text/tea", "text/green", "application/json"


class Kettle:
    """A plugin that writes two forms of tea; clients named `tea` get nothing but the first."""

    @hookimpl
    def portula_answer_formats(self, provider):
        return [
            AnswerFormat(endpoint="introspect", media_type=TEA, write=written(TEA), required=drinks_tea),
            AnswerFormat(endpoint="introspect", media_type=GREEN, write=written(GREEN)),
            AnswerFormat(endpoint="elsewhere", media_type="text/elsewhere", write=written("text/elsewhere")),
        ]


def written(media_type):
    def write(exchange):
        assert exchange.answer_format.media_type == media_type
        return Answer(200, {"Content-Type": media_type}, repr(sorted(exchange.response)).encode())

    return write


def drinks_tea(exchange):
    return exchange.client.name == "tea"


@pytest.fixture(scope="module")
def house():
    return House(Kettle(), discover=True, PLUGINS_BLOCKED=["jwt_introspection"])


@pytest.fixture(scope="module")
def clients(house):
    return {name: house.client(name=name) for name in ("tea", "any")}


def asked(house, party, accept):
    headers = party.auth if accept is None else {**party.auth, "Accept": accept}
    return house.door().post("/o/introspect/", {"token": "x"}, headers)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/*", TEA),
        ("text/*, application/json", JSON),
        ("text/*;q=0.9, application/json", JSON),
        ("application/*, text/tea", TEA),
        ("text/tea", TEA),
        ("TEXT/Tea", TEA),
        ("text/tea;q=1.000, application/json;q=1.0", TEA),
        ("application/json, text/tea", TEA),
        ("application/json, text/tea;q=0.999", JSON),
        ("text/tea;q=0.5, text/green;q=0.6", GREEN),
        ("text/tea;q=0.5 , text/*;q=0.8", GREEN),
        ("application/json;q=0, */*", TEA),
        ("application/json;q=0.2, */*;q=0.1", JSON),
        ("text/tea;q=0, text/green;q=0", JSON),
        ("text/tea;q=0", JSON),
        ("text/tea;q=2", JSON),
        ("text/tea;q=-1", JSON),
        ("text/tea;q=nan, application/json;q=0.1", JSON),
        ("text/tea;q=0.0001", JSON),
        ("text/tea; charset=utf-8; q=0.4, application/json; q=0.3", TEA),
        ("text/teapot, image/png", JSON),
        ("text/elsewhere", JSON),
        (",;,q=1,/,", JSON),
    ],
)
def test_a_form_is_chosen_by_accept(house, clients, accept, form):
    answer = asked(house, clients["any"], accept)
    assert (answer.status_code, answer.mimetype) == (200, form)


@pytest.mark.parametrize("accept", [None, "*/*", "text/*", "text/tea;q=0.001, application/json, text/green"])
def test_a_client_that_gets_one_form_gets_it_whatever_it_likes_better(house, clients, accept):
    assert asked(house, clients["tea"], accept).mimetype == TEA


@pytest.mark.parametrize("accept", ["application/json", "text/green", "*/*, text/tea;q=0", "x"])
def test_a_client_that_leaves_its_one_form_out_is_refused(house, clients, accept):
    answer = asked(house, clients["tea"], accept)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    assert TEA in answer.json["error_description"]


def test_two_plugins_cannot_write_one_form():
    with pytest.raises(ConfigError, match=TEA):
        House(Kettle(), Kettle())


def test_an_answer_that_cannot_be_written_is_sent_in_no_other_form():
    class Broken:
        @hookimpl
        def portula_answer_formats(self, provider):
            def write(exchange):
                raise OSError("the kettle is away")

            return [AnswerFormat(endpoint="introspect", media_type=TEA, write=write)]

    house = House(Broken(), config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False})
    answer = asked(house, house.client(), TEA)
    assert (answer.status_code, answer.json["error"]) == (500, "server_error")
    assert "kettle" not in answer.text
