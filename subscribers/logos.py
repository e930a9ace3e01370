"""The logos of members: judged by content, and drawn anew before anybody sees them.

Whatever was hidden in the file that was sent in (where a photo was taken, a script, another file)
is not in the PNG that is made of its pixels. Called by `belonging.py` and `listing.py`.
"""

import asyncio
import hashlib
import io

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.member_models import MemberLogo

MAX_BYTES = 2 * 1024 * 1024
_MAX_PIXELS = 16_000_000
"""Of what is sent in: a small file can unfold into gigabytes."""
_BOX = (480, 240)
"""What is shown fits in here, in pixels: twice what it takes on the page."""
_KINDS = ("PNG", "JPEG", "WEBP", "GIF")


@frozen
class Logo:
    """A picture of our own making."""

    digest: str
    width: int
    height: int
    content: bytes


async def remade(content: bytes) -> Logo:
    """A PNG of what `content` shows. Raises `errors.Invalid` for what is no picture."""
    if len(content) > MAX_BYTES:
        raise _wrong(errors.Invalid(N_("A logo can have 2 MB at most. Make it smaller.")))
    return await asyncio.to_thread(_remade, content)


async def keep(
    ground: Ground, session: AsyncSession, *, member_id: int, logo: Logo | None, alt: str
) -> None:
    """Keep a member's logo and its words; without a new one the words alone.

    Raises `errors.Invalid` when there is none at all.
    """
    words = {"alt": alt, "created_at": ground.clock.now()}
    if logo is None:
        changed = await session.execute(
            sa.update(MemberLogo)
            .where(col(MemberLogo.member_id) == member_id)
            .values(words)
            .returning(col(MemberLogo.member_id))
        )
        if changed.first() is None:
            raise _wrong(errors.Invalid(N_("Choose a picture.")))
        return
    values = words | {
        "digest": logo.digest,
        "width": logo.width,
        "height": logo.height,
        "content": logo.content,
    }
    await session.execute(
        tables.insert_for(session, MemberLogo)
        .values(member_id=member_id, **values)
        .on_conflict_do_update(index_elements=["member_id"], set_=values)
    )


async def drop(session: AsyncSession, *, member_id: int) -> None:
    """Take a member's logo away."""
    await session.execute(sa.delete(MemberLogo).where(col(MemberLogo.member_id) == member_id))


def _remade(content: bytes) -> Logo:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        # Only the header is read before the size is known.
        with Image.open(io.BytesIO(content), formats=_KINDS) as sent:
            if sent.width * sent.height > _MAX_PIXELS:
                raise _wrong(errors.Invalid(N_("This picture is too large. Make it smaller.")))
            picture = ImageOps.exif_transpose(sent).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as problem:
        said = N_("This is no picture that we can show. Send a PNG, JPEG, WebP or GIF.")
        raise _wrong(errors.Invalid(said)) from problem
    picture.thumbnail(_BOX)
    out = io.BytesIO()
    # A picture made anew of the pixels alone carries nothing else along.
    Image.frombytes("RGBA", picture.size, picture.tobytes()).save(out, "PNG", optimize=True)
    made = out.getvalue()
    return Logo(
        digest=hashlib.sha256(made).hexdigest()[:32],
        width=picture.width,
        height=picture.height,
        content=made,
    )


def _wrong(problem: errors.Invalid) -> errors.Invalid:
    return errors.Invalid(
        N_("Something needs to be mended before this can be kept."), fields={"logo": problem}
    )
