"""What a dispatch is of: how its mails name that, and where staff look at it.

Campaigns and mailings of the welcome share the numbers in `Dispatch.campaign_id`: campaigns have
those above zero, the welcome those below.
"""

_WELCOME = "welcome-"
_DIGITS = 18


def mark(campaign_id: int) -> str:
    """How mails name what they are of: `12`, or `welcome-3`."""
    return str(campaign_id) if campaign_id >= 0 else f"{_WELCOME}{-campaign_id}"


def number(text: str) -> int:
    """What a mark stands for; 0 for anything else."""
    text = text.strip()
    digits = text.removeprefix(_WELCOME)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
        return 0
    return int(digits) if digits == text else -int(digits)


def page(campaign_id: int) -> str:
    """Staff's page of it."""
    if campaign_id > 0:
        return f"/staff/campaigns/{campaign_id}"
    return f"/staff/welcome-mailings/{-campaign_id}"
