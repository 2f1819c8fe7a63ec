"""Moments of rows, set back: what a test would otherwise wait for."""

from tests.site import Site


def earlier(site: Site, column: str, seconds: int) -> str:
    if "postgresql" in str(site.app.config["SQLALCHEMY_DATABASE_URI"]):
        return f"{column} - interval '{seconds} seconds'"
    return f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{seconds} seconds')"


def set_back(site: Site, column: str, seconds: int, table: str = "grants") -> None:
    """Let a moment of all grants, or of other rows, be earlier by so much."""
    site.execute(f"UPDATE {table} SET {column} = {earlier(site, column, seconds)}")


def age_sessions(site: Site, seconds: int) -> None:
    """Let everybody have signed in so much earlier."""
    moment = earlier(site, "authenticated_at", seconds)
    site.execute(f"UPDATE sessions SET authenticated_at = {moment}")
