"""Answers to one pushed request at the same moment: one of them counts (RFC 9126 §4)."""

import threading

from security.driving import answered
from support.pushing import reference, refused_on_page, to_page

from portula.plugin import Grant

TABS = 6


def test_of_many_tabs_at_once_one_gets_the_code(world, party):
    brought = reference(world, party)
    browsers = [world.browser() for _ in range(TABS)]
    pages = [to_page(browser, brought) for browser in browsers]
    begin, responses = threading.Barrier(TABS), []

    def press(browser, page):
        begin.wait(10)
        responses.append(browser.submit(page, "consent-allow"))

    threads = [threading.Thread(target=press, args=pair) for pair in zip(browsers, pages, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (sent,) = [response for response in responses if response.status_code == 302]
    assert "code" in answered(sent)
    assert sum(refused_on_page(response) for response in responses) == TABS - 1
    codes = [grant for grant in world.provider.storage.select(Grant) if grant.client_id == party.client_id]
    assert len(codes) == 1
