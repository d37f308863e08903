"""A test whose page complains fails, in whatever way the page does."""

import pytest
from playwright.sync_api import Browser

from tests.browser.watching import watched


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('Something is wrong')", "Something is wrong"),
        ("setTimeout(() => { throw new Error('Nobody caught this') })", "Nobody caught this"),
        ("document.body.append(Object.assign(document.createElement('img'), {src: '/static/nothing.png'}))", "404"),
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))", "script-src"),
    ],
    ids=["console", "exception", "not found", "inline style", "inline script"],
)
@pytest.mark.django_db(transaction=True)
def test_a_page_that_complains_fails_its_test(chromium: Browser, site: str, script: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        visit_and_run(chromium, site, script)


def visit_and_run(chromium: Browser, site: str, script: str) -> None:
    with watched(chromium, base_url=site) as context:
        page = context.new_page()
        page.goto("/accounts/login/")
        page.evaluate(f"() => {{ {script} }}")
        page.wait_for_load_state("networkidle")


@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_quiet_does_not(chromium: Browser, site: str) -> None:
    visit_and_run(chromium, site, "console.log('All is well')")
