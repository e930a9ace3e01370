"""What the places are called where people follow a coalition, known by the host of an address.

Names are those that the places call themselves by, the same in every language.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

NAMES: Mapping[str, str] = {
    "bsky.app": "Bluesky",
    "discord.com": "Discord",
    "discord.gg": "Discord",
    "facebook.com": "Facebook",
    "fb.com": "Facebook",
    "fb.me": "Facebook",
    "github.com": "GitHub",
    "instagram.com": "Instagram",
    "linkedin.com": "LinkedIn",
    "linktr.ee": "Linktree",
    "mastodon.social": "Mastodon",
    "medium.com": "Medium",
    "pinterest.com": "Pinterest",
    "reddit.com": "Reddit",
    "signal.group": "Signal",
    "signal.me": "Signal",
    "snapchat.com": "Snapchat",
    "soundcloud.com": "SoundCloud",
    "spotify.com": "Spotify",
    "substack.com": "Substack",
    "t.me": "Telegram",
    "telegram.me": "Telegram",
    "threads.com": "Threads",
    "threads.net": "Threads",
    "tiktok.com": "TikTok",
    "tumblr.com": "Tumblr",
    "twitch.tv": "Twitch",
    "twitter.com": "X",
    "vimeo.com": "Vimeo",
    "wa.me": "WhatsApp",
    "whatsapp.com": "WhatsApp",
    "x.com": "X",
    "youtu.be": "YouTube",
    "youtube.com": "YouTube",
}
"""Host → name; hosts under one of these are its too."""


def name(url: str) -> str:
    """What to call a link: the place's name, an address of mail, else the host."""
    found = host(url)
    parts = found.split(".")
    known = (NAMES.get(".".join(parts[at:])) for at in range(len(parts)))
    return next(filter(None, known), found)


def host(url: str) -> str:
    """Whose an address is, as people would say it: `example.org`, or somebody's mail address."""
    parts = urlsplit(url.strip())
    if parts.scheme == "mailto":
        return parts.path
    return (parts.hostname or url).removeprefix("www.")
