"""The version of Gesso: part of every record and of every step's key."""

VERSION = "0.1.0"
