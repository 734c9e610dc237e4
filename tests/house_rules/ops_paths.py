"""Which paths the ops listener answers."""

import re

from tests.house_rules.project import read


def answered(path: str) -> bool:
    """Whether nginx's ops listener has a location for a path."""
    ops = read("nginx.conf").partition("include ops.conf;")[2]
    exact, patterns = re.findall(r"location = (\S+)", ops), re.findall(r"location ~ (\S+)", ops)
    return path in exact or any(re.search(pattern, path) for pattern in patterns)
