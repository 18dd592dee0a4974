"""
Certify a folder of migrations: run them under faults, and check the promises after each.

`certify` starts a disposable PostgreSQL and touches no other database. Its certificate has the
number of faults injected and every violation.
"""

from rung.certify.certification import certify
from rung.certify.results import Certificate, Count, Finding, Question

__all__ = ["Certificate", "Count", "Finding", "Question", "certify"]
