"""The rules, in virtual time, and the texts that people read."""

import pytest

pytest.register_assert_rewrite("tests.rules.night")
