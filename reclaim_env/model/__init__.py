"""The reclaim model: mm/ in numba, over one record per machine. Imports numpy and numba only."""
