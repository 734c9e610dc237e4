"""Text that people write, as editors, spreadsheets and shells save it: one reader for all files and standard input.

A health check imports this module every few seconds: it imports nothing itself.
"""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class NotText(ValueError):
    """Bytes that are not text; `line` is where the first of them stands. The message quotes none of them."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"is not UTF-8 text in line {line} (Latin-1 or Windows-1252, perhaps): save it as UTF-8")


def decoded(content: bytes) -> str:
    """Return the text of UTF-8, with or without a byte order mark, or of UTF-16 with one. Raises NotText."""
    is_utf_16 = content.startswith(_UTF_16)
    content = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8")
    except UnicodeDecodeError as fault:
        raise NotText(len((content[: fault.start] + b"x").splitlines())) from None


def environment_value(written: str, *, is_free_text: bool = False) -> str:
    """Return a value as an environment file means it: without quotes around it, and without a comment after a blank.

    docker, podman and systemd each take off some of these or none. In free text without quotes a # is kept.
    """
    value = written.strip()
    end = value.find(value[0], 1) if value[:1] in ("'", '"') else -1
    if end > 0 and value[end + 1 :].lstrip()[:1] in ("", "#"):
        return value[1:end]
    if is_free_text:
        return value
    return "\n".join(line.replace("\t#", " #").partition(" #")[0].rstrip() for line in value.splitlines())
