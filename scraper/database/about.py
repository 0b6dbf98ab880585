"""The title, source and license of the data, used by Datasette and every export."""

TITLE = "BJA TTA records, rebuilt from web archives"
PUBLISHER = "US Bureau of Justice Assistance"
LICENSE = "Works of the US government: public domain in the US"
LICENSE_URL = "https://www.usa.gov/government-copyright"
SOURCE = "Captures of bjatta.bja.ojp.gov in public web archives"
SOURCE_URL = "https://web.archive.org/web/*/bjatta.bja.ojp.gov/*"
SUMMARY = (
    "Records of training and technical assistance (TTA) that the US Bureau of Justice Assistance (BJA) and its National Training "
    "and Technical Assistance Center (NTTAC) published on their reporting portal, read from captures of it in web archives."
)
CAVEAT = (
    "This is not an official publication, nor complete: it contains what was captured. A record without a newer capture was not "
    "necessarily removed, and an empty cell may mean that the value was not captured: see `state` in the table `fields`."
)
