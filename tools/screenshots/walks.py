"""Pages that somebody comes to by what they do: forms that are sent, links in mails.

Each walk says by which word the names of its pictures begin, so that it is left out whole where
none of them is wanted, and which addresses it passes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tools.screenshots import office_walks, public_walks
from tools.screenshots.camera import Camera


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """A way through pages."""

    room: str
    """How the names of its pictures begin."""
    go: Callable[[Camera], Awaitable[None]]
    passes: tuple[str, ...] = ()
    """Addresses, as the routes write them."""


WALKS = (
    Walk(room="public", go=public_walks.archived, passes=("/archive/{slug}",)),
    Walk(
        room="supporter",
        go=public_walks.supporter,
        passes=("/subscribe/sent", "/confirm/{token}", "/unsubscribe/{token}"),
    ),
    Walk(room="stopped", go=public_walks.stopped, passes=("/come-back/{token}",)),
    Walk(room="widget", go=public_walks.widget),
    Walk(
        room="organisation",
        go=public_walks.organisation,
        passes=("/join/sent", "/join/confirm/{token}", "/join/answer/{token}", "/member/{token}"),
    ),
    Walk(
        room="statement",
        go=public_walks.statement,
        passes=("/statement/sent", "/statement/confirm/{token}"),
    ),
    Walk(room="partner", go=office_walks.partner),
    Walk(
        room="write",
        go=office_walks.block,
        passes=(
            "/staff/bulletins/{id}/blocks/{block}",
            "/staff/bulletins/{id}/blocks/{block}/words/{development}",
        ),
    ),
    Walk(
        room="send",
        go=office_walks.office,
        passes=("/staff/deliverability", "/staff/campaigns/{id}/check/progress"),
    ),
    Walk(
        room="send",
        go=office_walks.going_out,
        passes=("/staff/campaigns/{id}/start", "/staff/campaigns/{id}/release"),
    ),
    Walk(
        room="people",
        go=office_walks.segment,
        passes=("/staff/segments/{id}", "/staff/segments/{id}/edit", "/staff/segments/{id}/why"),
    ),
    Walk(
        room="office",
        go=office_walks.kept,
        passes=("/staff/snippets/{id}", "/staff/templates/{id}"),
    ),
    Walk(
        room="coming-in",
        go=office_walks.coming_in,
        passes=("/staff/signin/second-step", "/staff/signin/password/{secret}"),
    ),
)
"""In the order of the rooms."""
