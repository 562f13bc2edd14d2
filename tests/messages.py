"""Record the error message of each invalid call in tests/messages.json.

    .venv/bin/python tests/messages.py

tests/test_bad_inputs.py compares the messages with this file. Read the diff before you
commit it, because learners will see these messages when something goes wrong.
"""

import json
import os
import tempfile

from test_bad_inputs import MESSAGES_FILE, ROWS, error_of, normalized_message

if __name__ == "__main__":
    os.environ["CONV_DEVICE"] = "cpu"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        messages = {
            name: normalized_message(error_of(row)) for name, row in ROWS.items()
        }
    text = json.dumps(messages, indent=1, ensure_ascii=False) + "\n"
    MESSAGES_FILE.write_text(text, encoding="utf-8")
