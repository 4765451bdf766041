"""Scenario files: their fields, what is checked, and how they are read."""

from reclaim_env.scenario.file import ScenarioError
from reclaim_env.scenario.scenario import Scenario, bundled_ids, load, load_all, parse, parse_text

__all__ = ["Scenario", "ScenarioError", "bundled_ids", "load", "load_all", "parse", "parse_text"]
