"""Staff's rooms of this floor: people, members, forms and partners."""

from aiohttp import web

from subscribers import (
    builder_pages,
    doubts_pages,
    forms_pages,
    funnel_pages,
    gathering_pages,
    handing_pages,
    members_pages,
    merging_pages,
    partners_pages,
    people_pages,
    suppressions_pages,
)


def routes() -> list[web.RouteDef]:
    """Everything under `/staff` that this floor serves, and the builder, which partners use too."""
    return [
        *people_pages.routes(),
        *merging_pages.routes(),
        *doubts_pages.routes(),
        *suppressions_pages.routes(),
        *members_pages.routes(),
        *forms_pages.routes(),
        *builder_pages.routes(),
        *gathering_pages.routes(),
        *partners_pages.routes(),
        *funnel_pages.routes(),
        *handing_pages.routes(),
    ]
