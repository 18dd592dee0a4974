"""
Certifies a folder of migrations: runs them under faults, and holds what is left to the truth.

`certify` starts a throw-away PostgreSQL, never touches another database, and says how many
faults were injected and every violation that was found.
"""

from rung.certify.certification import certify
from rung.certify.results import Certificate, Count, Finding, Question

__all__ = ["Certificate", "Count", "Finding", "Question", "certify"]
