"""Housekeeping: what has expired is deleted, and signing keys are made in time."""

from accounts.cleanup import delete_expired_job
from issuer import access_tokens, devices, dpop, grants, parked, signing_keys
from jobs.leases import Lease
from jobs.periodic import Periodic


def _keep_up(_lease: Lease) -> int:
    return signing_keys.keep_up()


JOBS = (
    delete_expired_job("authorization_requests", 600, parked.expired, parked.purge),
    delete_expired_job("access_tokens", 3600, access_tokens.expired, access_tokens.purge),
    delete_expired_job("seen_proofs", 600, dpop.expired, dpop.purge),
    delete_expired_job("device_codes", 3600, devices.expired, devices.purge),
    delete_expired_job("grants", 6 * 3600, grants.expired, grants.purge),
)
KEYS = Periodic("signing_keys", 3600, _keep_up)
