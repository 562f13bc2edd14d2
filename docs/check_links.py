"""Run LinkChecker, also as root in a folder that nobody else may read.

Started as root, it becomes the user ``nobody`` first, who can't read such a folder. It
also ignores the links of large pages without saying so; such a page is an error here.
"""

import configparser
import sys
from pathlib import Path

from linkcheck.command import linkchecker

if __name__ == "__main__":
    linkchecker.drop_privileges = lambda: None  # these pages are our own
    config = configparser.ConfigParser()
    config.read(sys.argv[sys.argv.index("--config") + 1])
    limit = config.getint("checking", "maxfilesizeparse")
    for page in Path(sys.argv[-1]).parent.rglob("*.html"):
        if page.stat().st_size > limit:
            sys.exit(f"{page} has more than {limit} bytes, so its links aren't checked")
    sys.exit(linkchecker.linkchecker())
