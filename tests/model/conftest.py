import pytest

from tests.model.plain import load_plain_model

PLAIN_MODEL = load_plain_model()


@pytest.fixture
def model():
    """The model's modules as plain Python."""
    return PLAIN_MODEL
