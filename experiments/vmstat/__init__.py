"""Snapshots of a machine's /proc/vmstat, zoneinfo and pressure files, read and written."""
