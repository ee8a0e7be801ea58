"""Every page of the rendered book in a real browser, from the disk and with no network."""


def test_nothing_fails_and_nothing_is_asked_of_the_network(visit):
    assert visit.said == []
    assert visit.failed == []


def test_mathematics_is_rendered(visit):
    assert visit.raw == []


def test_the_page_fits_a_phone(visit):
    assert visit.wide == []


def test_no_serious_fault_of_access_by_day_or_by_night(visit):
    assert visit.violations == []
