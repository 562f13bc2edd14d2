"""Write down what each bad call is told, in tests/messages.json.

    .venv/bin/python tests/messages.py

tests/test_bad_inputs.py compares. Read the differences before you commit them: this is
what a reader sees on the worst minute of a lesson.
"""

import json
import os
import tempfile

from test_bad_inputs import MESSAGES_FILE, ROWS, error_of, words

if __name__ == "__main__":
    os.environ["CONV_DEVICE"] = "cpu"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        messages = {name: words(error_of(row)) for name, row in ROWS.items()}
    text = json.dumps(messages, indent=1, ensure_ascii=False) + "\n"
    MESSAGES_FILE.write_text(text, encoding="utf-8")
