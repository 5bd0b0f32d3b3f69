"""The administrator's pages that are there once."""

from support.shown_pages import shown


@shown("portula_admin.overview", "portula_admin/refused", "ann", 403)
def not_an_administrator(site, page):
    page.goto(f"{site.url}/o/admin/")


@shown("portula_admin.managed", "portula_admin/refused", "helper", 403)
def not_allowed_to_see_keys(site, page):
    page.goto(f"{site.url}/o/admin/manage/keys/")


@shown("portula_admin.overview", "portula_admin/overview", "helper")
def admin_for_a_helper(site, page):
    page.goto(f"{site.url}/o/admin/")


@shown("portula_admin.overview", "portula_admin/overview", "root")
def admin(site, page):
    page.goto(f"{site.url}/o/admin/")


@shown("portula_admin.system", "portula_admin/system", "root")
def system(site, page):
    page.goto(f"{site.url}/o/admin/system/")


@shown("portula_admin.records", "portula_admin/records", "root")
def tokens_of_one_client_filtered(site, page):
    page.goto(f"{site.url}/o/admin/access-token/?client_id={site.app_id}&status=live")


@shown("portula_admin.records", "portula_admin/records", "root")
def an_empty_list(site, page):
    page.goto(f"{site.url}/o/admin/application/?q=nothing")


@shown("portula_admin.managed", "portula_admin/managed_list", "root")
def a_search_without_success(site, page):
    page.goto(f"{site.url}/o/admin/manage/users/?q=nobody")


@shown("portula_admin.managed", "portula_admin/managed_list", "root")
def the_end_of_a_list(site, page):
    page.goto(f"{site.url}/o/admin/manage/users/")
    page.click("a[rel=next]")


@shown("portula_admin.managed", "portula_admin/managed_list", "root")
def the_second_page_of_what_is_a_persons(site, page):
    page.goto(f"{site.url}/o/admin/manage/users/view/?id={site.ann.sub}")
    page.click("text=More authorizations")


@shown("portula_admin.managed_view", "portula_admin/managed", "root")
def an_authorization_of_a_payment(site, page):
    page.goto(f"{site.url}/o/admin/manage/authorizations/view/?id={'pa' * 16}")


@shown("portula_admin.view", "portula_admin/record", "root")
def a_token_for_a_payment(site, page):
    page.goto(f"{site.url}/o/admin/access-token/view/?id={'pa' * 6}")


@shown("portula_admin.edit", "portula_admin/form", "root")
def a_client_with_types_of_details(site, page):
    page.goto(f"{site.url}/o/admin/application/edit/?id={site.shop_id}")


@shown("portula_admin.add", "portula_admin/form", "root")
def new_application(site, page):
    page.goto(f"{site.url}/o/admin/application/add/")


@shown("portula_admin.add", "portula_admin/form", "root", 400)
def new_application_refused(site, page):
    page.goto(f"{site.url}/o/admin/application/add/")
    page.fill("textarea[name=redirect_uris]", "ftp://app.example/cb")
    page.fill("input[name=scope]", "nosuch")
    page.click("#save")


@shown("portula_admin.edit", "portula_admin/form", "root")
def edit_application(site, page):
    page.goto(f"{site.url}/o/admin/application/edit/?id={site.app_id}")


@shown("portula_admin.secret", "portula_admin/secret", "root")
def new_secret(site, page):
    page.goto(f"{site.url}/o/admin/application/view/?id={site.app_id}")
    page.click("#add-secret")


@shown("portula_admin.secret", "portula_admin/remove_secret", "root")
def remove_secret(site, page):
    page.goto(f"{site.url}/o/admin/application/view/?id={site.logout_id}")
    page.click("#add-secret")
    page.click("text=I have copied it")
    page.click(".secret-list button >> nth=0")


@shown("portula_admin.managed_act", "portula_admin/managed_secret", "root")
def a_link_that_sets_a_password(site, page):
    page.goto(f"{site.url}/o/admin/manage/users/view/?id={site.newcomer.sub}")
    page.click("button[value=link]")
    page.click("#confirm")
