"""One reader for all TOML files: it says what is wrong with a file, and quotes none of it."""

import re
import tomllib
from pathlib import Path
from typing import Any

from service.settings.kinds import InvalidValue
from service.text_files import NotText, decoded


def tables(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds. Raises InvalidValue."""
    try:
        found = tomllib.loads(decoded(path.read_bytes()))
        str(found)  # a number that cannot be written out could not be shown in a fault either
    except OSError as failed:
        raise InvalidValue(f"cannot be read ({failed.strerror}): make it readable, or name another file") from None
    except NotText as failed:
        raise InvalidValue(str(failed)) from None
    except (ValueError, RecursionError) as refused:  # not TOML; or numbers or a nesting that no reader takes
        # The parser's own words can quote the line, and a secret with it.
        place = re.search(r"line \d+, column \d+|end of document", str(refused))
        raise InvalidValue(
            f"is not TOML{f' ({place[0]})' if place else ''}: "
            'write name = "value" with straight quotes, and [section] on a line of its own'
        ) from None
    return found
