"""Lists: paging by key, searching, filtering; nothing is skipped, nothing comes twice."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from portula import hookimpl
from portula.plugin import AccessToken, Application, ClientSource, User
from portula_admin.walks import WINDOW
from portula_testing.writing import remove_from

NOW = 1_700_000_000


def ids(page):
    return re.findall(r'class="row-link" href="[^"]*[?&]id=([^"&]+)"', page.text)


def way(page, rel):
    """Return the parameters behind the button for another page, None without one."""
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page.text)
    if found is None:
        return None
    query = urlsplit(found[1].replace("&amp;", "&")).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def walk(admin, slug, rel="next", **query):
    """Return the IDs of each page from one on, in one direction."""
    pages = []
    while query is not None:
        page = admin.get(f"/{slug}/", **query)
        pages.append(ids(page))
        query = way(page, rel)
        last = page
    return pages, last


def test_a_thousand_tokens_are_paged_through_and_back(admin):
    names = [admin.access(f"t{number}", issued_at=NOW - number // 7) for number in range(1000)]
    pages, last = walk(admin, "access-token")
    assert [len(page) for page in pages] == [25] * 40
    found = [name for page in pages for name in page]
    tokens = {token.digest[:12]: token for token in admin.storage.select(AccessToken, limit=1000)}
    assert found == sorted(
        names, key=lambda name: (tokens[name].issued_at, tokens[name].digest), reverse=True
    )
    back, _ = walk(admin, "access-token", "prev", **way(last, "prev"))
    assert back[::-1] == pages[:-1]


def test_a_page_ends_where_the_list_ends(admin):
    for number in range(25):
        admin.access(f"t{number}")
    page = admin.get("/access-token/")
    assert len(ids(page)) == 25
    assert (way(page, "next"), way(page, "prev")) == (None, None)


def test_a_page_reads_one_row_more_than_it_shows(admin):
    seen = []
    walked = admin.storage.walk

    def spy(*args, **options):
        seen.append(options["limit"])
        return walked(*args, **options)

    admin.storage.walk = spy
    for number in range(60):
        admin.access(f"t{number}")
    admin.get("/access-token/")
    assert seen == [26]


def test_tokens_of_a_person_and_of_a_client(admin):
    mine, other = admin.access("mine", subject="bob"), admin.access("other", client_id="else", subject="eve")
    assert ids(admin.get("/access-token/", subject="bob")) == [mine]
    assert ids(admin.get("/access-token/", client_id="else")) == [other]
    assert ids(admin.get("/access-token/", client_id="else", subject="bob")) == []
    assert ids(admin.get("/access-token/", q="bob")) == [mine]
    assert ids(admin.get("/access-token/", q="else")) == [other]
    assert ids(admin.get("/access-token/", q="mine")) == [mine]
    assert "Nothing fits" in admin.get("/access-token/", q="nobody").text


def test_a_person_is_found_by_name_where_the_login_knows_names(admin):
    admin.login.find_by_name = lambda name: User("bob", "Bob") if name == "Bob" else None
    mine = admin.access("mine", subject="bob")
    assert ids(admin.get("/access-token/", q="Bob")) == [mine]
    assert "user name" in admin.get("/access-token/").text


@pytest.mark.parametrize("slug", ["access-token", "refresh-token"])
def test_tokens_by_what_they_are_worth(admin, slug):
    keep = admin.access if slug == "access-token" else admin.refresh
    live = keep("live", expires_at=NOW + 1)
    dead = keep("dead", expires_at=NOW)
    keep("older", expires_at=NOW - 9, revoked_at=NOW)
    assert ids(admin.get(f"/{slug}/", status="live")) == [live]
    assert ids(admin.get(f"/{slug}/", status="expired")) == [dead]
    assert [one[:5] for one in ids(admin.get(f"/{slug}/", status="revoked"))] == ["older"]
    assert ids(admin.get(f"/{slug}/", status="live", q="app")) == [live]
    assert len(ids(admin.get(f"/{slug}/", status="nonsense"))) == 3


def test_used_codes(admin):
    taken = admin.grant("taken", taken_at=NOW)
    open_ = admin.grant("open")
    assert ids(admin.get("/grant/", status="used")) == [taken]
    assert ids(admin.get("/grant/", status="live")) == [open_]


@pytest.mark.parametrize("status", ["live", "expired", "revoked"])
def test_filtered_lists_are_paged_through_and_back(admin, status):
    names = set()
    for number in range(70):
        fields = {
            "live": {"expires_at": NOW + 1 + number % 3},
            "expired": {"expires_at": NOW - number % 3},
            "revoked": {"revoked_at": NOW - number % 3},
        }
        for kind, values in fields.items():
            name = admin.access(f"{kind}{number}", **values)
            names |= {name} if kind == status else set()
    pages, last = walk(admin, "access-token", status=status)
    assert [len(page) for page in pages] == [25, 25, 20]
    assert set().union(*pages) == names
    back, _ = walk(admin, "access-token", "prev", **way(last, "prev"))
    assert back[::-1] == pages[:-1]


def test_a_search_in_several_fields_is_paged_through_and_back(admin):
    for number in range(40):
        admin.client(client_id=f"app-{number:02}", name="app" if number % 2 else "other")
        admin.client(client_id=f"x{number:02}", name=f"app {number:02}")
    pages, last = walk(admin, "application", q="app")
    assert [name for page in pages for name in page] == [
        *(f"app-{number:02}" for number in range(40)),
        *(f"x{number:02}" for number in range(40)),
    ]
    back, _ = walk(admin, "application", "prev", **way(last, "prev"))
    assert back[::-1] == pages[:-1]


def test_a_page_looks_at_so_many_records_and_offers_to_look_on(admin):
    for number in range(WINDOW + 300):
        admin.access(f"t{number}", issued_at=NOW - number, subject="bob", revoked_at=None)
    rare = admin.access("rare", issued_at=NOW - 1200, subject="bob", revoked_at=NOW)
    page = admin.get("/access-token/", subject="bob", status="revoked")
    assert "Nothing fits among the 1000 looked through so far" in page.text
    further = admin.get("/access-token/", **way(page, "next"))
    assert ids(further) == [rare]
    assert way(further, "next") is None


def test_clients_by_type_and_state(admin):
    admin.client("confidential")
    admin.client("public", client_type="public")
    admin.act("application", "disable_selected", "public")
    assert ids(admin.get("/application/", client_type="public")) == ["public"]
    assert ids(admin.get("/application/", disabled="no")) == ["confidential"]
    assert ids(admin.get("/application/", disabled="yes")) == ["public"]
    assert len(ids(admin.get("/application/", client_type="none"))) == 2


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "W10",
        "WzAsInQiLCJhIl0",
        "WzksMSwiYSJd",
        "WzAsOTIyMzM3MjAzNjg1NDc3NTgwOCwiYSJd",
        "WzAsMV0",
        "W3RydWUsMSwiYSJd",
        pytest.param("W1tb" * 1_000, id="nested"),
    ],
)
def test_a_place_that_is_none_begins_anew(admin, place):
    name = admin.access("t")
    for parameter in ("after", "before"):
        assert ids(admin.get("/access-token/", **{parameter: place})) == [name]


def test_an_empty_list_says_what_could_be_there(admin):
    assert "There are no applications yet" in admin.get("/application/").text
    assert "There are no codes yet" in admin.get("/grant/").text


def test_the_first_page_shows_the_newest(admin):
    admin.client()
    for number in range(9):
        admin.access(f"t{number}", issued_at=NOW - number)
    page = admin.get("/")
    assert ids(page) == ["app", *(f"t{number}----------" for number in range(5))]


def test_what_a_token_s_client_was_is_still_said(admin):
    admin.client()
    name = admin.access("t")
    assert ">An app<" in admin.get("/access-token/").text
    remove_from(admin.storage, Application, client_id="app")
    assert "app (gone)" in admin.get("/access-token/view/", id=name).text


@pytest.mark.parametrize("kept", [True, False])
def test_a_client_of_a_source_is_not_gone_and_has_no_page(make, kept):
    class Source:
        @hookimpl
        def portula_client_sources(self, provider):
            client = Application(client_id="app", name="From elsewhere") if kept else None
            return [
                ClientSource(
                    name="s", claims=lambda name: name == "app", find=self.find, known=lambda _: client
                )
            ]

        def find(self, client_id):
            raise AssertionError("a list asks no other server")

    admin = make(Source())
    name = admin.access("t")
    page = admin.get("/access-token/view/", id=name).text
    assert "(gone)" not in page
    assert ("From elsewhere" in page) is kept
    assert "application/view/" not in page
    admin.client()
    page = admin.get("/access-token/view/", id=name).text
    assert ">An app<" in page
    assert "application/view/" in page, "one that is registered under the name comes first"
