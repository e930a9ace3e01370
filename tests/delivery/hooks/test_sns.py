"""Messages of Amazon SNS: who signed them, with which certificate, for which topic."""

import json
from datetime import timedelta

import pytest

from delivery.hooks import sns, state
from foundation import errors
from foundation.ground import Ground
from tests.delivery.hooks import parts
from tests.delivery.hooks.callers import ses
from tests.delivery.hooks.conftest import Door
from tests.delivery.hooks.parts import Mail
from tests.world import people
from tests.world.amazon import Amazon
from tests.world.clock import FakeClock
from tests.world.web import Answer

ANA = Mail(address="ana@example.org")
PEM = "/SimpleNotificationService-0a1b2c3d.pem"
QUERY = "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:1:x&Token=0a"
LOOK_ALIKES = (
    "http://sns.us-east-1.amazonaws.com",
    "HTTPS://sns.us-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com.evil.example",
    "https://sns.us-east-1.amazonaws.com.cn.evil.example",
    "https://evil.example/sns.us-east-1.amazonaws.com",
    "https://evil.example#https://sns.us-east-1.amazonaws.com",
    "https://evil.example?https://sns.us-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com@evil.example",
    "https://sns.us-east-1.amazonaws.com:443@evil.example",
    "https://user:password@sns.us-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com:8443",
    "https://sns.us-east-1.amazonaws.com\\\\@evil.example",
    "https://sns.us-east-1.amazonaws.com%2f@evil.example",
    "https://sns.us-east-1.amazonaws.com%00.evil.example",
    "https://evil.example\n.sns.us-east-1.amazonaws.com",
    "https://s3.amazonaws.com/bucket",
    "https://s3.us-east-1.amazonaws.com/sns",
    "https://sns.amazonaws.com",
    "https://sns.s3.amazonaws.com",
    "https://sns.evil-s3-1.s3.amazonaws.com",
    "https://xsns.us-east-1.amazonaws.com",
    "https://sns-us-east-1.amazonaws.com",
    "https://sns.us-east-1-amazonaws.com",
    "https://sns.us-east-1.amazonaws.co",
    "https://sns.us-east-1.amazonaws.com.",
    "https://sns.\u0443s-east-1.amazonaws.com",
    "https://SNS.us-east-1.amazonaws.com",
    "https://127.0.0.1",
    "https://[::1]",
    "//sns.us-east-1.amazonaws.com",
    "file:///etc/passwd",
    "",
)


async def post(door: Door, message: parts.Json, *, key: int = 0) -> Answer:
    """Sign a message, and post it."""
    return await door.post("ses", ses.signed(message, key=key))


def bounce(clock: FakeClock, **fields: str) -> parts.Json:
    """A message about a bounce of Ana's."""
    return ses.message(clock.now(), Message=json.dumps(ses.hard(ANA)), **fields)


def request(clock: FakeClock, kind: str, **fields: str) -> parts.Json:
    """SNS asks, or tells, about the subscription itself."""
    asked = {"Message": "You have chosen…", "Token": "2336", "SubscribeURL": parts.SUBSCRIBE}
    return ses.message(clock.now(), **{"Type": kind, **asked, **fields})


@pytest.mark.parametrize("host", LOOK_ALIKES)
def test_an_address_that_only_looks_like_amazons_is_fetched_for_nothing(host: str) -> None:
    for pattern, path in ((sns.CERTIFICATE, PEM), (sns.SUBSCRIBE, QUERY)):
        with pytest.raises(errors.Forbidden):
            sns.trusted(pattern, host + path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/evil.pem",
        "/bucket/SimpleNotificationService-0a.pem",
        "/../SimpleNotificationService-0a.pem",
        "/SimpleNotificationService-0a.pem?x=1",
        "/SimpleNotificationService-0a.pem#x",
        "/SimpleNotificationService-0a.pem\n",
        "/SimpleNotificationService-0a.pem/x",
        "/SimpleNotificationService-.pem",
        "/SimpleNotificationService-0a/../../evil.pem",
        "/?Action=DeleteTopic&TopicArn=x",
        "/?Action=ConfirmSubscription&x=1 HTTP/1.1\r\nHost: evil",
        "/?X=1&Action=ConfirmSubscription",
        "/?Action=ConfirmSubscription&x=1#y",
    ],
)
def test_a_path_that_is_not_what_it_should_be_is_fetched_for_nothing(path: str) -> None:
    for pattern in (sns.CERTIFICATE, sns.SUBSCRIBE):
        with pytest.raises(errors.Forbidden):
            sns.trusted(pattern, "https://sns.us-east-1.amazonaws.com" + path)


@pytest.mark.parametrize(
    "host",
    [
        "sns.us-east-1.amazonaws.com",
        "sns.ap-southeast-12.amazonaws.com",
        "sns.us-gov-west-1.amazonaws.com",
        "sns.cn-northwest-1.amazonaws.com.cn",
    ],
)
def test_addresses_of_amazon_are_taken_as_they_are(host: str) -> None:
    for pattern, path in ((sns.CERTIFICATE, PEM), (sns.SUBSCRIBE, QUERY)):
        assert sns.trusted(pattern, f"https://{host}{path}") == f"https://{host}{path}"
    assert sns.trusted(sns.SUBSCRIBE, parts.SUBSCRIBE) == parts.SUBSCRIBE


async def test_both_versions_of_signatures_are_verified_and_no_other(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA.address)
    for version, status in (("1", 200), ("2", 200), ("3", 403), ("", 403)):
        assert (await post(door, bounce(clock, SignatureVersion=version))).status == status
        assert (await post(door, bounce(clock, SignatureVersion=version), key=1)).status == 403
    signed = ses.signed(bounce(clock, SignatureVersion="1"))
    other = json.loads(signed.body) | {"SignatureVersion": "2"}
    changed = parts.Sent(headers=signed.headers, body=json.dumps(other).encode())
    assert (await door.post("ses", changed)).status == 403


async def test_every_signed_field_is_part_of_the_signature(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA.address)
    signed = ses.signed(bounce(clock, Subject="A subject"))
    fields = json.loads(signed.body)
    for name in ("Message", "MessageId", "Subject", "Timestamp", "Type", "Signature"):
        for value in (fields[name] + "x", "", None, 1, ["x"]):
            changed = json.dumps({**fields, name: value}).encode()
            answer = await door.post("ses", parts.Sent(headers=signed.headers, body=changed))
            assert answer.status == 403, (name, value)
    assert (await door.post("ses", signed)).status == 200


async def test_a_message_for_a_topic_of_somebody_else_is_refused_without_asking_amazon(
    door: Door, clock: FakeClock, amazon: Amazon
) -> None:
    other = parts.TOPIC.replace("123456789012", "999999999999")
    answer = await post(door, bounce(clock, TopicArn=other))
    assert (answer.status, amazon.asked) == (403, [])
    answer = await post(door, request(clock, "SubscriptionConfirmation", TopicArn=other))
    assert (answer.status, amazon.asked) == (403, [])


async def test_a_certificate_is_asked_for_once_and_counts_while_it_is_valid(
    ground: Ground, door: Door, clock: FakeClock, amazon: Amazon
) -> None:
    await people.subscribed(ground, ANA.address)
    for _ in range(3):
        assert (await post(door, bounce(clock))).status == 200
    assert amazon.asked == [parts.CERTIFICATE]
    clock.advance(days=31)
    answer = await post(door, bounce(clock))
    assert (answer.status, "not valid now" in answer.text) == (403, True)
    began = clock.now()
    early = parts.certificate(began + timedelta(days=40), began=30)
    amazon.pages["/SimpleNotificationService-early.pem"] = early
    url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-early.pem"
    assert (await post(door, bounce(clock, SigningCertURL=url))).status == 403
    clock.advance(days=11)
    assert (await post(door, bounce(clock, SigningCertURL=url))).status == 200


async def test_what_is_no_certificate_of_rsa_proves_nothing(
    door: Door, clock: FakeClock, amazon: Amazon
) -> None:
    for number, page in enumerate((b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAA==\n")):
        name = f"SimpleNotificationService-{number}.pem"
        amazon.pages[f"/{name}"] = page
        url = f"https://sns.us-east-1.amazonaws.com/{name}"
        assert (await post(door, bounce(clock, SigningCertURL=url))).status == 403


async def test_when_the_certificate_cannot_be_had_sns_is_asked_to_try_again(
    ground: Ground, door: Door, clock: FakeClock, amazon: Amazon
) -> None:
    await people.subscribed(ground, ANA.address)
    page = amazon.pages.pop(PEM)
    answer = await post(door, bounce(clock))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    amazon.pages[PEM] = page
    assert (await post(door, bounce(clock))).status == 200


async def test_made_up_certificates_have_us_ask_amazon_ten_times_a_minute_at_most(
    door: Door, clock: FakeClock, amazon: Amazon
) -> None:
    for number in range(30):
        url = f"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{number}.pem"
        assert (await post(door, bounce(clock, SigningCertURL=url))).status == 503
    assert len(amazon.asked) == 10
    clock.advance(minutes=1)
    assert (await post(door, bounce(clock))).status == 200


async def test_a_subscription_is_confirmed_by_fetching_its_address_once_it_is_proven(
    door: Door, clock: FakeClock, amazon: Amazon
) -> None:
    forged = await post(door, request(clock, "SubscriptionConfirmation"), key=1)
    assert (forged.status, amazon.asked) == (403, [parts.CERTIFICATE])
    elsewhere = parts.SUBSCRIBE.replace("amazonaws.com/", "amazonaws.com.evil.example/")
    answer = await post(door, request(clock, "SubscriptionConfirmation", SubscribeURL=elsewhere))
    assert (answer.status, amazon.asked) == (403, [parts.CERTIFICATE])
    answer = await post(door, request(clock, "SubscriptionConfirmation"))
    assert (answer.status, amazon.asked) == (200, [parts.CERTIFICATE, parts.SUBSCRIBE])
    del amazon.pages["/"]
    assert (await post(door, request(clock, "SubscriptionConfirmation"))).status == 503


async def test_when_sns_was_told_to_call_no_more_staff_see_it_and_nothing_is_fetched(
    ground: Ground, door: Door, clock: FakeClock, amazon: Amazon
) -> None:
    answer = await post(door, request(clock, "UnsubscribeConfirmation"))
    assert (answer.status, amazon.asked) == (200, [parts.CERTIFICATE])
    async with ground.db.reading() as session:
        found = {each.name: each for each in await state.read(ground, session)}
    assert found["ses"].trouble == "Amazon SNS was told to call no more."
    clock.advance(minutes=1)
    await post(door, bounce(clock))
    async with ground.db.reading() as session:
        found = {each.name: each for each in await state.read(ground, session)}
    assert found["ses"].trouble == ""


async def test_raw_delivery_is_refused_with_a_word_about_what_to_switch_off(door: Door) -> None:
    bare = parts.Sent(
        headers={"x-amz-sns-rawdelivery": "true"}, body=json.dumps(ses.hard(ANA)).encode()
    )
    answer = await door.post("ses", bare)
    assert (answer.status, "raw message delivery" in answer.text) == (403, True)


async def test_notifications_of_an_identity_say_the_same_as_events_of_a_configuration_set(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA.address)
    event = ses.hard(ANA)
    event["notificationType"] = event.pop("eventType")
    del event["mail"]["headers"], event["mail"]["commonHeaders"]
    answer = await post(door, ses.message(clock.now(), Message=json.dumps(event)))
    assert answer.json()["taken"] == 1


async def test_what_sns_says_in_plain_words_is_ignored(door: Door, clock: FakeClock) -> None:
    said = "Successfully validated SNS topic for Amazon SES event publishing."
    answer = await post(door, ses.message(clock.now(), Message=said))
    assert (answer.status, answer.json()["ignored"]) == (200, 1)
