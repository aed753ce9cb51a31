"""Job types that look like daily work, and take as long as a picture needs."""

from __future__ import annotations

from typing import Any

from jobs import JobContext, Secret, job_type

DECLINED = "tok_declined"


class ServerBusy(Exception):
    """The mail server answered 421 and closed the connection."""


class CardDeclined(Exception):
    """The bank declined the card."""


@job_type("reports.render", queue="reports", timeout=3600)
def render(context: JobContext, *, report: str, pages: int, from_page: int = 1) -> dict[str, Any]:
    """Render a report page by page, from where an earlier attempt stopped."""
    for page in range(from_page, pages + 1):
        context.progress(100 * page / pages, f"page {page} of {pages}")
        context.sleep(1)
    return {"report": report, "pages": pages}


@job_type("catalogue.import", timeout=3600)
def catalogue(context: JobContext, *, supplier: str, rows: int, from_row: int = 0) -> None:
    """Take over a supplier's catalogue."""
    for row in range(from_row, rows, 10):
        context.progress(100 * row / rows, f"{row:,} of {rows:,} articles")
        context.sleep(1)


@job_type("mail.send", queue="mail", retry_backoff=1, retry_backoff_max=1, max_retries=3)
def send(context: JobContext, *, to: str, template: str) -> dict[str, Any]:
    """Send a mail. One server never has the time."""
    context.sleep(0.2)
    if to.endswith("@busy.example"):
        raise ServerBusy("421 4.7.0 Too many connections from this address, try again later")
    return {"accepted": True, "recipients": 1}


@job_type("invoices.charge", dont_autoretry_for=(CardDeclined,))
def charge(
    context: JobContext, *, invoice: str, amount: str, card_token: Secret[str]
) -> dict[str, Any]:
    """Charge a card with the amount of an invoice."""
    context.sleep(0.4)
    if card_token.reveal() == DECLINED:
        raise CardDeclined("The bank declined the card: insufficient funds")
    return {"invoice": invoice, "charged": amount}


@job_type("images.resize")
def resize(context: JobContext, *, image: str, widths: list[int]) -> dict[str, Any]:
    """Make the sizes of an image that the shop shows."""
    for number, width in enumerate(widths, start=1):
        context.sleep(0.1)
        context.progress(100 * number / len(widths), f"{width} px")
    return {"image": image, "made": len(widths)}
