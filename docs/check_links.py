"""Run LinkChecker without two of its defaults.

If LinkChecker is started as root, it switches to the user ``nobody``, who may not be
able to read the site. It also silently skips the links of large pages; here such a page
is an error.
"""

import configparser
import sys
from pathlib import Path

from linkcheck.command import linkchecker

if __name__ == "__main__":
    linkchecker.drop_privileges = lambda: None  # safe, because these pages are our own
    config = configparser.ConfigParser()
    config.read(sys.argv[sys.argv.index("--config") + 1])
    limit = config.getint("checking", "maxfilesizeparse")
    for page in Path(sys.argv[-1]).parent.rglob("*.html"):
        if page.stat().st_size > limit:
            sys.exit(
                f"{page} has more than {limit} bytes, so its links would not be "
                "checked. Increase maxfilesizeparse in the configuration file."
            )
    sys.exit(linkchecker.linkchecker())
