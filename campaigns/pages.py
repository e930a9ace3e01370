"""Staff's pages of campaigns, and the overview that staff come home to."""

from aiohttp import web

from campaigns import (
    audience_pages,
    before_pages,
    brand_pages,
    campaign_form_pages,
    campaign_pages,
    check_pages,
    duplicate_pages,
    everybody_pages,
    handbill_pages,
    inbox_pages,
    live_pages,
    mail_template_pages,
    overview_pages,
    planner_pages,
    proposal_pages,
    recipients_pages,
    report_pages,
    review_pages,
    segment_pages,
    series_pages,
    snippet_pages,
    step_pages,
    trial_pages,
    welcome_pages,
    why_pages,
)


def routes() -> list[web.RouteDef]:
    """What is here; fixed names stand before `{id}`."""
    return [
        *overview_pages.routes(),
        *planner_pages.routes(),
        *audience_pages.routes(),
        *campaign_form_pages.routes(),
        *campaign_pages.routes(),
        *check_pages.routes(),
        *before_pages.routes(),
        *duplicate_pages.routes(),
        *step_pages.routes(),
        *review_pages.routes(),
        *live_pages.routes(),
        *recipients_pages.routes(),
        *everybody_pages.routes(),
        *report_pages.routes(),
        *handbill_pages.staff_routes(),
        *segment_pages.routes(),
        *why_pages.routes(),
        *series_pages.routes(),
        *brand_pages.routes(),
        *mail_template_pages.routes(),
        *snippet_pages.routes(),
        *inbox_pages.routes(),
        *welcome_pages.routes(),
        *proposal_pages.routes(),
        *trial_pages.routes(),
    ]
