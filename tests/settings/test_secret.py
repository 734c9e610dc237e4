"""Text that nothing shows by accident."""

import copy
import json
import pickle

from service.settings.kinds import Secret


def test_only_reveal_shows_a_secret() -> None:
    """Printed, formatted, put into JSON as text or within something else: the text stays inside."""
    secret = Secret("CANARY")

    shown = [repr(secret), str(secret), f"{secret}", repr([secret]), json.dumps(secret, default=str)]

    assert "CANARY" not in "".join(shown)
    assert secret.reveal() == "CANARY"


def test_secrets_are_equal_when_their_texts_are() -> None:
    """Settings with the same secrets are the same settings; a secret is never equal to its text."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_a_secret_can_be_copied() -> None:
    """Whatever copies settings gets their secrets, too."""
    secret = Secret("a")

    assert [copy.copy(secret), copy.deepcopy(secret), pickle.loads(pickle.dumps(secret))] == [secret] * 3  # noqa: S301 - our own
