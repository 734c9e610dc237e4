"""What holds for every test: how properties are searched."""

import os

from hypothesis import settings

# No deadline: two busy cores say nothing about the code. In CI the same examples every time, so that red is red again.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")
