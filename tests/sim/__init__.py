"""Tests of the sim room, one file for each of its files."""
