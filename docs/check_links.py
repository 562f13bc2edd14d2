"""Run LinkChecker, also as root in a folder that nobody else may read.

Started as root, it becomes the user ``nobody`` first, who can't read such a folder.
"""

import sys

from linkcheck.command import linkchecker

if __name__ == "__main__":
    linkchecker.drop_privileges = lambda: None  # these pages are our own
    sys.exit(linkchecker.linkchecker())
