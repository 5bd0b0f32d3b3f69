import pytest
from support.browser import forms_of


def ask(browser, query=""):
    return browser.get(f"/ask{query}")


@pytest.fixture
def fields(browser):
    return forms_of(ask(browser).text)[0].fields


def test_the_page_shows_who_is_asked_what_by_whom(browser):
    page = ask(browser)
    assert page.status_code == 200
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "form-action" not in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "same-origin"
    for part in ("Ada", "tea.example:8443", "Read what you wrote", "Keep access while you are away", "write"):
        assert part in page.text


def test_a_name_can_neither_turn_the_writing_nor_bring_markup(browser):
    page = ask(browser).text
    assert "Tea &lt;svg onload=1&gt;" in page
    assert "\u202e" not in page
    assert "\x01" not in page
    assert "javascript:" not in page


@pytest.mark.parametrize(
    ("to", "shown", "on_device"),
    [
        ("http://127.0.0.1:4711/cb", "127.0.0.1:4711", True),
        ("http://[::1]:4711/cb", "[::1]:4711", True),
        ("com.example.tea:/cb", "com.example.tea:", True),
        ("https://tea.example/cb", "tea.example", False),
    ],
)
def test_the_page_says_where_the_answer_goes(browser, to, shown, on_device):
    page = ask(browser, f"?to={to}").text
    assert f">{shown}<" in page
    assert ("an app on this device" in page) is on_device


def test_the_form_is_the_first_and_has_both_buttons(browser):
    form = forms_of(ask(browser).text)[0]
    assert (form.action, form.method) == ("/ask", "post")
    assert form.buttons.keys() == {"consent-allow", "consent-deny"}
    assert form.buttons["consent-allow"][0] == "allow"
    assert form.fields["interaction"] == "i1"


def test_allow_present_is_yes_and_absent_is_no(browser, fields):
    assert browser.post("/ask", data={**fields, "allow": "yes"}).text == "True"
    assert browser.post("/ask", data={**fields, "allow": ""}).text == "True"
    assert browser.post("/ask", data={**fields, "deny": "yes"}).text == "False"
    assert browser.post("/ask", data=fields).text == "False"


@pytest.mark.parametrize("token", [None, "", "x", "a" * 43, "ü"])
def test_without_our_token_there_is_no_answer(browser, fields, token):
    assert browser.post("/ask", data={**fields, "allow": "yes", "csrf_token": token or ""}).text == "None"
    assert browser.post("/ask", data={"allow": "yes"}).text == "None"


def test_another_browser_cannot_answer(made, fields):
    other = made.app.test_client()
    other.environ_base["HTTP_SUBJECT"] = "ada"
    ask(other)
    assert other.post("/ask", data={**fields, "allow": "yes"}).text == "None"


def test_the_answer_to_one_question_answers_no_other(browser, fields):
    assert browser.post("/ask?interaction=i2", data={**fields, "allow": "yes"}).text == "None"
    assert browser.post("/ask", data={**fields, "allow": "yes", "interaction": "i2"}).text == "None"
