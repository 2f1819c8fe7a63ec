"""Each address of the operator's pages, also those that are added later."""

from collections.abc import Iterator

from tests.browser import Browser
from tests.commands.test_users import id_of
from tests.site import Site

SECURE = ("frame-ancestors 'none'", "default-src 'none'")


def addresses(site: Site, browser: Browser, method: str) -> Iterator[str]:
    """The addresses that take a method, with the administrator's own id for whatever they name."""
    for rule in site.app.url_map.iter_rules():
        if rule.rule.startswith("/admin") and method in (rule.methods or ()):
            built = rule.build(dict.fromkeys(rule.arguments, id_of(browser)))
            assert built
            yield str(built[1])


def test_a_get_or_head_of_what_changes_something_changes_nothing(site, admin):
    read = set(addresses(site, admin, "GET"))
    changing = sorted(set(addresses(site, admin, "POST")) - read)
    assert len(changing) > 10
    before = site.rows("SELECT count(*) FROM admin_log")
    people = site.rows("SELECT * FROM users ORDER BY id")
    for address in changing:
        for method in ("GET", "HEAD"):
            assert admin.fetch(address, method).status in (404, 405), address
    for address in read:
        admin.fetch(address, "HEAD")
    assert site.rows("SELECT count(*) FROM admin_log") == before
    assert site.rows("SELECT * FROM users ORDER BY id") == people


def test_no_page_is_kept_or_framed_and_none_runs_what_is_not_ours(site, admin):
    shown = 0
    for address in addresses(site, admin, "GET"):
        page = admin.fetch(address)
        if page.status == 200:
            shown += 1
            assert "no-store" in page.headers["Cache-Control"], address
            policy = page.headers["Content-Security-Policy"]
            assert all(each in policy for each in SECURE), address
            assert "unsafe" not in policy, address
    assert shown > 8
