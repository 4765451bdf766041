"""What a scenario can say and the page-exact reference does not simulate is refused, not left out."""

import pytest

from reclaim_env.reference.boot import boot
from reclaim_env.scenario import ScenarioError
from tests.model.machines import scenario


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        ({"oomd": {}}, "oomd"),
        ({"filled_mib_per_s": 40}, "filled_mib_per_s: found 40"),
    ],
)
def test_the_reference_refuses_parts_it_does_not_have(tables, found):
    with pytest.raises(ScenarioError, match=found):
        boot(scenario(**tables))
