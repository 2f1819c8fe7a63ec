"""Housekeeping: expired flows are deleted. Gate sessions go with the sessions that opened them."""

from functools import partial

from accounts.cleanup import Report, delete_expired_job, report_nothing
from gates import flows
from jobs.periodic import Periodic


def jobs(report: Report = report_nothing) -> tuple[Periodic, ...]:
    """Return the jobs that delete expired rows."""
    job = partial(delete_expired_job, report=report)
    return (job("gate_flows", 600, flows.expired, flows.purge),)
