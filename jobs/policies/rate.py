"""Rates, as limits state them. They stand in `accounts`, whose tenants have one too. Pure."""

from accounts.rate import MOST_STARTS, UNITS, Rate, parse, parse_or_none

__all__ = ["MOST_STARTS", "UNITS", "Rate", "parse", "parse_or_none"]
