"""Every page of the rendered book in a real browser, from the disk and with no network."""

import built
import visits


def test_a_page_works_by_day_and_by_night_on_a_desk_and_on_a_phone(browser, page):
    seen = visits.visit(browser, (built.HTML / page).as_uri())
    assert seen == visits.Visit(said=[], failed=[], raw=[], wide=[], violations=[])
