"""The pages that a demo has besides."""

from support.shown_pages import shown


@shown("portula_playground.grants", "portula_playground/grants")
def grants_to_play(site, page):
    page.goto(f"{site.url}/o/playground/")


@shown("portula_playground.grants", "portula_playground/grant")
def grant_to_play(site, page):
    page.goto(f"{site.url}/o/playground/?grant=client_credentials")


@shown("portula_playground.grants", "portula_playground/grant", status=400)
def grant_not_played(site, page):
    page.goto(f"{site.url}/o/playground/?grant=device")
    page.fill("textarea", "no value")
    page.click("#play")


@shown("portula_playground.run", "portula_playground/run")
def run_of_a_grant(site, page):
    page.goto(f"{site.url}/o/playground/?grant=client_credentials")
    page.click("#play")


@shown("portula_playground.run", "portula_playground/run")
def run_that_waits_for_its_person(site, page):
    page.goto(f"{site.url}/o/playground/?grant=device")
    page.click("#play")


@shown("portula_playground.callback", "portula/error", status=404)
def answer_to_no_run(site, page):
    page.goto(f"{site.url}/o/playground/x/callback")
