"""Tables of topics, subscribers, consent, suppression, forms, partners and coalition members."""

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables

_OPTIONS = {"sqlite_autoincrement": True}


class TopicKind(enum.StrEnum):
    """What a topic stands for."""

    ISSUE = "issue"
    """A cause with a page of its own."""
    GENERAL = "general"
    """Across issues, such as action alerts."""
    MEMBERS = "members"
    """For contacts of the coalition's members; never offered on forms."""


class Topic(tables.Table, table=True):
    """Something that people subscribe to."""

    __tablename__ = "topics"

    id: int = tables.identity()
    slug: str = Field(nullable=False, unique=True)
    kind: str = Field(nullable=False)
    is_public: bool = Field(default=True, nullable=False)
    position: int = Field(default=0, nullable=False)
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {name, description}."""
    created_at: datetime = tables.moment()


class Subscriber(tables.Table, table=True):
    """A person with an address."""

    __tablename__ = "subscribers"
    __table_args__ = (
        tables.index_of_some(
            "ix_subscribers_further_languages",
            "further_languages",
            where=sa.text("further_languages <> ''"),
        ),
        _OPTIONS,
    )

    id: int = tables.identity()
    email: str = Field(nullable=False)
    email_key: str = Field(nullable=False, unique=True)
    first_name: str = Field(default="", nullable=False)
    last_name: str = Field(default="", nullable=False)
    postal_code: str = Field(default="", nullable=False, index=True)
    town: str = Field(default="", nullable=False, index=True)
    language: str = Field(default="en", nullable=False, index=True)
    further_languages: str = Field(default="", nullable=False)
    """Others that the person reads, by code, with blanks between, the one they like best first."""
    reads_both: bool = Field(default=False, nullable=False)
    """Whether they want bulletins in two of their languages, under one another."""
    fields: dict[str, str] = tables.json_dict()
    """Own fields of the site, by name."""
    allows_tracking: bool = Field(default=False, nullable=False)
    soft_bounces: int = Field(default=0, nullable=False)
    first_soft_bounce_at: datetime | None = tables.maybe_moment()
    created_at: datetime = tables.moment(index=True)
    updated_at: datetime = tables.moment()


class FormerSubscriber(tables.Table, table=True):
    """The number of a record that was joined with another; links in old mail still carry it."""

    __tablename__ = "former_subscribers"

    former_id: int = Field(primary_key=True, sa_type=tables.BIG)
    subscriber_id: int = tables.reference("subscribers.id")
    merged_at: datetime = tables.moment()


class SubscriberTag(tables.Table, table=True):
    """A word that staff or a form put on a person."""

    __tablename__ = "subscriber_tags"

    subscriber_id: int = Field(
        primary_key=True, foreign_key="subscribers.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    tag: str = Field(primary_key=True, index=True)


class SubscriptionState(enum.StrEnum):
    """How a person stands to a topic."""

    PENDING = "pending"
    """Asked for, not confirmed by mail yet; gets nothing."""
    CONFIRMED = "confirmed"
    """Gets bulletins on the topic."""
    UNSUBSCRIBED = "unsubscribed"
    """Took it back; only the person can come in again, by confirming."""


class Subscription(tables.Table, table=True):
    """A person's state on one topic."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        sa.UniqueConstraint("subscriber_id", "topic_id"),
        sa.Index("ix_subscriptions_topic_state", "topic_id", "state", "subscriber_id"),
        _OPTIONS,
    )

    id: int = tables.identity()
    subscriber_id: int = tables.reference("subscribers.id", index=False)
    topic_id: int = tables.reference("topics.id", index=False)
    state: str = Field(nullable=False)
    since: datetime = tables.moment()
    signup_id: int | None = tables.loose_reference(index=False)
    """The sign-up that asked for it last."""


class Wording(tables.Table, table=True):
    """The exact words by which consent was asked; a change makes a new version."""

    __tablename__ = "wordings"
    __table_args__ = (sa.UniqueConstraint("key", "language", "version"), _OPTIONS)

    id: int = tables.identity()
    key: str = Field(nullable=False)
    language: str = Field(nullable=False)
    version: int = Field(nullable=False)
    text: str = tables.long_text()
    text_hash: str = Field(nullable=False, index=True)
    created_at: datetime = tables.moment()


class ConsentStep(enum.StrEnum):
    """What happened to a person's consent."""

    ASKED = "asked"
    """A form was sent in; the address is asked by mail to confirm it."""
    CONFIRMED = "confirmed"
    """The person pressed the button behind the mailed link."""
    IMPORTED = "imported"
    """Staff brought the person along and vouched for the consent."""
    TOPICS_CHANGED = "topics-changed"
    """The person chose other topics on the preferences page."""
    UNSUBSCRIBED = "unsubscribed"
    """The person (or their mail program, by one click) took it back."""
    TRACKING_ALLOWED = "tracking-allowed"
    """The person agreed to be counted by name."""
    TRACKING_REFUSED = "tracking-refused"
    """The person took that back."""
    SHARE_ASKED = "share-asked"
    """A form was sent in that lets an organisation have the address, too."""
    SHARED = "shared"
    """The person confirmed that by mail: the organisation gets the address."""
    SHARE_WITHDRAWN = "share-withdrawn"
    """The person took that back: the organisation is told."""
    SUPPRESSED = "suppressed"
    """The address may not be mailed: bounce, complaint or by hand."""
    LIFTED = "lifted"
    """A suppression was lifted."""
    MERGED = "merged"
    """Staff joined two records of the person; what happened with the other stands here, too."""


class Consent(tables.Table, table=True):
    """One step of a person's consent. Append-only; only `network` is blanked after its time."""

    __tablename__ = "consents"
    __table_args__ = (
        tables.index_of_some(
            "ix_consents_dispatch_id", "dispatch_id", where=sa.text("dispatch_id IS NOT NULL")
        ),
        _OPTIONS,
    )

    id: int = tables.identity()
    subscriber_id: int = tables.reference("subscribers.id")
    at: datetime = tables.moment(index=True)
    step: str = Field(nullable=False)
    topics: list[str] = tables.json_list()
    """Slugs that the step was about; empty means all."""
    wording_id: int | None = tables.reference(
        "wordings.id", nullable=True, index=False, ondelete="RESTRICT"
    )
    language: str = Field(nullable=False)
    signup_id: int | None = tables.loose_reference(index=False)
    form_id: int | None = tables.loose_reference(index=False)
    partner_id: int | None = tables.loose_reference(index=False)
    """The organisation that the step was about."""
    network: str | None = Field(default=None)
    """IPv4 /24 or IPv6 /48, blanked after `[retention] network_days`."""
    dispatch_id: int | None = tables.loose_reference(index=False)
    """The mail whose link was used, for unsubscriptions."""
    via: str = Field(default="", nullable=False)
    """form, api, import, preferences, link, one-click, mailto, staff, bounce."""
    reason: str = tables.long_text()


class SignUpState(enum.StrEnum):
    """How far a sign-up came."""

    SUBMITTED = "submitted"
    """Sent in; waits for the person to confirm by mail."""
    CONFIRMED = "confirmed"
    """Confirmed."""
    HELD = "held"
    """Sent in, but no mail went out for now: a limit was reached."""
    SUSPECT = "suspect"
    """Looks like a program's (see `Doubt`): no mail goes out unless staff say so."""
    EXPIRED = "expired"
    """Never confirmed within the time allowed."""


class Doubt(enum.StrEnum):
    """Why a sign-up looks like a program's."""

    NONE = ""
    """It does not."""
    HASTE = "haste"
    """Sent in faster than people type."""
    FLOOD = "flood"
    """One of very many from the same network."""
    NO_PROOF = "no-proof"
    """Sent in without proof of work while the forms were under attack."""
    DISPOSABLE = "disposable"
    """The address is of a throw-away mail service."""


class SignUp(tables.Table, table=True):
    """One submission of a form, and where it came from."""

    __tablename__ = "signups"
    __table_args__ = (
        # Asked of a million people one by one: SQLite would look through all of one state else.
        sa.Index("ix_signups_subscriber_id", "subscriber_id", "state"),
        # Sign-ups come by the thousand: one that has no form or partner is in no index of those.
        *(
            tables.index_of_some(
                f"ix_signups_{column}", column, where=sa.text(f"{column} IS NOT NULL")
            )
            for column in ("form_id", "partner_id", "gathering_id")
        ),
        _OPTIONS,
    )

    id: int = tables.identity()
    subscriber_id: int = tables.reference("subscribers.id", index=False)
    form_id: int | None = tables.reference(
        "forms.id", nullable=True, index=False, ondelete="SET NULL"
    )
    partner_id: int | None = tables.reference(
        "partners.id", nullable=True, index=False, ondelete="SET NULL"
    )
    state: str = Field(nullable=False, index=True)
    doubt: str = Field(default=Doubt.NONE.value, nullable=False)
    topics: list[str] = tables.json_list()
    language: str = Field(nullable=False)
    first_name: str = Field(default="", nullable=False)
    last_name: str = Field(default="", nullable=False)
    postal_code: str = Field(default="", nullable=False)
    further_languages: str = Field(default="", nullable=False)
    tags: list[str] = tables.json_list()
    shares: list[int] = tables.json_list()
    """Partners that the person lets have the address, once it is confirmed."""
    source: str = Field(default="", nullable=False)
    referrer_host: str = Field(default="", nullable=False)
    page_path: str = Field(default="", nullable=False)
    utm_source: str = Field(default="", nullable=False)
    utm_medium: str = Field(default="", nullable=False)
    utm_campaign: str = Field(default="", nullable=False)
    gathering_id: int | None = tables.loose_reference(index=False)
    """Where it was written down by hand."""
    typed_at: datetime | None = tables.maybe_moment()
    """When, where that was before it reached us."""
    entry_number: str | None = Field(default=None, unique=True)
    """A random one that a tablet gave it, so that it is taken once."""
    created_at: datetime = tables.moment(index=True)
    confirmed_at: datetime | None = tables.maybe_moment()


class SuppressionReason(enum.StrEnum):
    """Why an address must not be mailed."""

    HARD_BOUNCE = "hard-bounce"
    """The mailbox does not exist or refuses for good."""
    SOFT_BOUNCES = "soft-bounces"
    """Several temporary failures in a row over a long time."""
    COMPLAINT = "complaint"
    """The person marked a mail as spam."""
    BY_HAND = "by-hand"
    """Staff put it there."""
    ERASED = "erased"
    """The person asked to be forgotten; only this hash is left."""
    IMPORTED = "imported"
    """Came as unsubscribed or cleaned from another service."""


class Suppression(tables.Table, table=True):
    """An address that must not be mailed; it outlives the subscriber as a keyed hash."""

    __tablename__ = "suppressions"

    id: int = tables.identity()
    address_hash: str = Field(nullable=False, index=True)
    subscriber_id: int | None = tables.reference(
        "subscribers.id", nullable=True, ondelete="SET NULL"
    )
    reason: str = Field(nullable=False)
    note: str = tables.long_text()
    return_id: int | None = tables.loose_reference(index=False)
    """What came back and led to it, on a higher floor."""
    created_at: datetime = tables.moment(index=True)
    lifted_at: datetime | None = tables.maybe_moment(index=True)
    lifted_by: str = Field(default="", nullable=False)
    lifted_because: str = tables.long_text()


class Form(tables.Table, table=True):
    """A sign-up form."""

    __tablename__ = "forms"

    id: int = tables.identity()
    slug: str = Field(nullable=False, unique=True)
    name: str = Field(nullable=False)
    topics: list[str] = tables.json_list()
    """Slugs offered, in order; the first is ticked when there is more than one."""
    asks: list[str] = tables.json_list()
    """Which of first_name, last_name, postal_code are asked for."""
    texts: dict[str, dict[str, str]] = tables.json_dict()
    """Language → {title, lead, button, thanks}; blank means the site's own words."""
    thanks_url: str = Field(default="", nullable=False)
    origins: list[str] = tables.json_list()
    """Web origins whose scripts may send to this form (CORS)."""
    partner_id: int | None = tables.reference("partners.id", nullable=True, ondelete="SET NULL")
    shares: list[int] = tables.json_list()
    """Partners whose own list people may join by the same form."""
    is_active: bool = Field(default=True, nullable=False)
    created_at: datetime = tables.moment()
    version: int = Field(default=1, nullable=False)


class Partner(tables.Table, table=True):
    """An organisation whose pages carry our form."""

    __tablename__ = "partners"

    id: int = tables.identity()
    key: str = Field(nullable=False, unique=True)
    """The present one; those before it are `partner_models.PartnerKey`."""
    name: str = Field(nullable=False)
    contact_name: str = Field(default="", nullable=False)
    contact_email: str = Field(default="", nullable=False)
    agreed_on: date | None = Field(default=None)
    """When it agreed to the coalition's terms for partners."""
    member_id: int | None = tables.reference("members.id", nullable=True, ondelete="SET NULL")
    origins: list[str] = tables.json_list()
    languages: list[str] = tables.json_list()
    is_active: bool = Field(default=True, nullable=False)
    created_at: datetime = tables.moment()


class MemberState(enum.StrEnum):
    """How an organisation stands to the coalition."""

    UNCONFIRMED = "unconfirmed"
    """Applied on the web; its contact has not confirmed by mail yet."""
    APPLIED = "applied"
    """Confirmed by mail; waits for the coalition's answer."""
    APPROVED = "approved"
    """A member."""
    DECLINED = "declined"
    """Not taken in, for a reason that it was told."""
    LEFT = "left"
    """Was a member."""


class Member(tables.Table, table=True):
    """An organisation of the coalition, or one that wants to be."""

    __tablename__ = "members"

    id: int = tables.identity()
    name: str = Field(nullable=False)
    website: str = Field(default="", nullable=False)
    town: str = Field(default="", nullable=False)
    languages: list[str] = tables.json_list()
    mission: str = tables.long_text()
    language: str = Field(default="en", nullable=False)
    """In which it is written to."""
    state: str = Field(nullable=False, index=True)
    statement_version: int = Field(default=1, nullable=False)
    """The newest version that it agreed to."""
    is_listed: bool = Field(default=False, nullable=False)
    """Wants to be named on the public page of members."""
    applied_at: datetime = tables.moment(index=True)
    confirmed_at: datetime | None = tables.maybe_moment()
    decided_at: datetime | None = tables.maybe_moment()
    decided_by: str = Field(default="", nullable=False)
    decision_reason: str = tables.long_text()
    renewed_at: datetime | None = tables.maybe_moment()
    """When it last said that it stays; None since it was taken in."""
    renewal_asked_at: datetime | None = tables.maybe_moment(index=True)
    """Since when it is asked whether it stays; None while it is not."""
    renewal_reminded_at: datetime | None = tables.maybe_moment()
    network: str | None = Field(default=None)
    version: int = Field(default=1, nullable=False)


class MemberContact(tables.Table, table=True):
    """A person who speaks for a member. Once confirmed, a subscriber to the members' topic."""

    __tablename__ = "member_contacts"

    id: int = tables.identity()
    member_id: int = tables.reference("members.id")
    name: str = Field(nullable=False)
    email: str = Field(nullable=False)
    email_key: str = Field(nullable=False, index=True)
    role: str = Field(default="", nullable=False)
    subscriber_id: int | None = tables.reference(
        "subscribers.id", nullable=True, ondelete="SET NULL"
    )
    confirmed_at: datetime | None = tables.maybe_moment()
    created_at: datetime = tables.moment()


PUBLIC_FIELDS: tuple[str, ...] = ("first_name", "last_name", "postal_code", "further_languages")
"""What a form may ask for besides the address; nothing here invites immigration status."""
