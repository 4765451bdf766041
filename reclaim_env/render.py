"""The pictures gymnasium asks for: text for a terminal, or an array of pixels."""

from typing import TYPE_CHECKING

import numpy as np

from reclaim_env.render_picture import picture
from reclaim_env.render_text import ansi_text
from reclaim_env.render_view import machine_view

if TYPE_CHECKING:
    from reclaim_env.vector import ReclaimVectorEnv


def render_row(env: "ReclaimVectorEnv", row: int, mode: str) -> str | np.ndarray:
    """Text, or (height, width, 3) uint8."""
    view = machine_view(env, row)
    return ansi_text(view) if mode == "ansi" else picture(view)
