"""Text that nothing shows by accident: keys, and addresses that may hold a password."""

from typing import NoReturn


class Secret:
    """Frozen text that no print, log or dump shows; `reveal` hands it out.

    Not a dataclass: `dataclasses.asdict` takes those apart.
    """

    __slots__ = ("_clear",)
    _clear: str

    def __init__(self, clear: str) -> None:
        object.__setattr__(self, "_clear", clear)

    def reveal(self) -> str:
        """Return the text."""
        return self._clear

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._clear == other._clear

    def __hash__(self) -> int:
        return hash(self._clear)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret cannot be changed")

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        """Copies are made anew, as nothing can be set in them."""
        return Secret, (self._clear,)
