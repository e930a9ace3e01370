"""An edition becomes a plan: same words and links in both parts, nothing left to evaluate."""

import dataclasses
import re
from typing import Any

import pytest

from templates import compiler, content, plan, problems, sanitise
from templates.conditions import Condition
from templates.content import Action, Heading, RichText
from tests.templates import editions


@pytest.fixture(scope="module")
def everything() -> plan.Plan:
    return editions.compiled()


def test_every_link_of_the_blocks_is_counted_and_ours_are_not(everything: plan.Plan) -> None:
    assert [(link.number, link.url) for link in everything.links] == [
        (1, "https://news.example/report?a=1&b=2"),
        (2, "https://news.example/ruling"),
        (3, "https://coalition.example/towns"),
        (4, "https://coalition.example/e/1"),
        (5, "https://coalition.example/card.pdf"),
        (6, "https://act.example/write"),
        (7, "https://col.example/one"),
        (8, "https://col.example/sign?a=1&b=2"),
        (9, "https://col.example/give"),
        (10, "https://coalition.example/r"),
        (11, "https://coalition.example/map"),
        (12, "https://instagram.com/c"),
    ]
    assert everything.links[0].label == "the report"
    assert everything.slot_names == {
        "subscriber.first_name",
        "subscriber.last_name",
        "unsubscribe_url",
        "preferences_url",
        "view_url",
        "open_pixel_url",
        *(f"click:{number}" for number in range(1, 13)),
    }


def test_both_parts_have_the_same_links(everything: plan.Plan) -> None:
    values = editions.values_for(everything)
    hrefs = {a.get("href") for a in editions.tree(everything.html(values)).iter("a")}
    text = everything.text(values)
    assert hrefs
    assert [href for href in hrefs if not href or href not in text] == []
    assert {values[name] for name in values if "url" in name or "click" in name} - hrefs == {
        values["open_pixel_url"]
    }


def test_both_parts_say_what_every_block_says(everything: plan.Plan) -> None:
    values = editions.values_for(everything, **{"subscriber.first_name": "Zoë <3"})
    words = " ".join("".join(editions.body_of(everything.html(values)).itertext()).split())
    text = " ".join(everything.text(values).split())
    for said in (
        "Dear Zoë <3,",
        "inner",
        "It was my cousin.",
        "What happened",
        "November 3, 2026",
        "Boston",
        "Court sides with towns",
        "A request is a request.",
        "Source: The Globe",
        "In Spanish",
        "54 %",
        "had no conviction",
        "Know your rights",
        "December 1, 6:30 pm",
        "600 Broadway",
        "Bring a friend.",
        "Fold it.",
        "The vote is near.",
        "Write now",
        "Coalition for Trust & Safety",
        "12 Summer Street, Boston, MA 02110",
        "Secure Communities",
        "Courts and figures",
    ):
        assert said in words
        assert said in text


@pytest.mark.parametrize(("language", "direction"), [("es", "ltr"), ("ar", "rtl")])
def test_language_and_direction_stand_on_the_document_and_on_what_is_in_it(
    language: str, direction: str
) -> None:
    made = editions.compiled(language=language, direction=direction)
    document = editions.tree(made.html(editions.values_for(made)))
    first = editions.body_of(made.html(editions.values_for(made)))[0]
    for element in (document, first):
        assert (element.get("lang"), element.get("dir")) == (language, direction)


def test_pictures_have_words_and_counting_image_has_none(everything: plan.Plan) -> None:
    images = list(editions.tree(everything.html(editions.values_for(everything))).iter("img"))
    assert [image.get("alt") for image in images] == ['The "big" meeting', "A hall", ""]
    assert images[0].get("src") == "https://coalition.example/p.png?a=1&b=2"
    assert images[2].get("src") == "https://go.example/open_pixel_url"


def test_without_an_address_to_count_with_there_is_no_counting_image(
    everything: plan.Plan,
) -> None:
    html = everything.html(editions.values_for(everything, open_pixel_url=""))
    assert len(list(editions.tree(html).iter("img"))) == 2


def test_preheader_comes_before_all_other_words(everything: plan.Plan) -> None:
    body = editions.body_of(everything.html(editions.values_for(everything)))
    assert "".join(body.itertext()).strip().startswith("A court sides with towns.")


def test_light_and_dark_are_both_declared(everything: plan.Plan) -> None:
    html = everything.html(editions.values_for(everything))
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "@media (prefers-color-scheme: dark)" in html


def test_chrome_of_the_mail_is_in_the_editions_language() -> None:
    made = editions.compiled(language="es")
    values = editions.values_for(made)
    for part in (made.html(values), made.text(values)):
        assert "Cancelar la suscripción" in part
        assert "confirmó su dirección" in part
        assert "Unsubscribe" not in part


def test_one_address_is_one_link_however_often_it_stands() -> None:
    made = editions.compiled(
        content.Action(label="First", url="https://a.example/x"),
        content.Action(label="Second", url="https://a.example/x"),
    )
    assert [(link.number, link.label) for link in made.links] == [(1, "First")]


def test_editions_of_one_campaign_can_have_numbers_of_their_own() -> None:
    made = compiler.compile_edition(
        editions.edition(),
        editions.BRAND,
        archive_url=editions.ARCHIVE_URL,
        translator=editions.CATALOG.translator("en"),
        first_link=40,
    )
    assert [link.number for link in made.links] == list(range(40, 52))
    assert "click:40" in made.slot_names
    assert "click:1" not in made.slot_names


def test_fields_that_are_the_same_for_all_are_set_once() -> None:
    made = editions.compiled(
        content.RichText(
            html="<p>{{ site.name }} · {{ campaign.name }} · {{ issue.title }}</p>"
            "<p>{{ archive_url }}</p>"
        )
    )
    text = made.text(editions.values_for(made))
    assert "Coalition for Trust & Safety · November · Secure Communities" in text
    assert editions.ARCHIVE_URL in text
    assert made.links == ()


def test_field_in_an_address_is_encoded_there_and_the_link_is_not_counted() -> None:
    made = editions.compiled(
        content.Action(label="Go", url="https://act.example/w?zip={{ subscriber.postal_code }}&x=é")
    )
    values = editions.values_for(made, **{"subscriber.postal_code": "0 &x=<\r\n"})
    address = "https://act.example/w?zip=0%20%26x%3D%3C&x=%C3%A9"
    assert address in made.text(values)
    assert address in [a.get("href") for a in editions.tree(made.html(values)).iter("a")]
    assert made.links == ()
    assert "link-not-counted" in [concern.code for concern in made.concerns]


@pytest.mark.parametrize(
    "url",
    [
        "https://{{ subscriber.town }}",
        "https://{{ subscriber.town }}.example.org/",
        "https://x{{ subscriber.fields.host }}/path",
    ],
)
def test_reader_can_not_decide_to_which_host_a_link_leads(url: str) -> None:
    with pytest.raises(problems.ContentProblem, match=r"block 1 \(call to action\)"):
        editions.compiled(content.Action(label="Go", url=url))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//evil.example", "/relative", "", "data:text/html,x"]
)
def test_what_is_no_address_can_not_be_a_link(url: str) -> None:
    with pytest.raises(problems.ContentProblem, match="can't be a link"):
        editions.compiled(content.Action(label="Go", url=url))


def test_unknown_merge_field_is_named_with_its_place_and_the_nearest() -> None:
    with pytest.raises(problems.MergeFieldProblem) as caught:
        editions.compiled(content.Divider(), content.Heading(text="Hi {{ subscriber.firstname }}"))
    english, spanish = str(caught.value), caught.value.say(editions.CATALOG.translator("es"))
    assert "In block 2 (heading): there is no merge field “subscriber.firstname”" in english
    assert "Did you mean “subscriber.first_name”?" in english
    assert "En el bloque 2 (encabezado): no existe el campo" in spanish


@pytest.mark.parametrize(
    "typed",
    ["{{ 7 * 7 }}", "{% for x in y %}", "{# hidden #}", "{{ subscriber.first_name.__class__ }}"],
)
@pytest.mark.parametrize("where", ["subject", "title", "preheader", "block"])
def test_what_staff_type_is_never_evaluated(typed: str, where: str) -> None:
    block = content.RichText(html=f"<p>{typed if where == 'block' else 'Hi'}</p>")
    changes: dict[str, Any] = {} if where == "block" else {where: typed}
    with pytest.raises(problems.MergeFieldProblem):
        editions.compiled(block, **changes)


def test_texts_that_are_never_parsed_stay_as_they_are() -> None:
    item = content.DevelopmentItem(
        kind="news",
        kind_label="{{ 7*7 }}",
        date_label="<b>now</b>",
        headline="<script>alert(1)</script>",
        source_name="{% raw %}",
    )
    made = editions.compiled(content.Developments(items=(item,)))
    html = made.html(editions.values_for(made))
    assert "{{ 7*7 }}" in html
    assert "{% raw %}" in html
    assert "<script" not in html
    assert "&lt;b&gt;now" in html


def test_rich_text_is_sanitised_before_it_goes_out() -> None:
    made = editions.compiled(
        content.RichText(
            html="<p onclick='x()'>Hi<script>alert(1)</script> "
            "<a href='javascript:x()'>bad</a> <img src=x onerror=y()></p><iframe></iframe>"
        )
    )
    html = made.html(editions.values_for(made))
    for never in ("onclick", "onerror", "alert(1)", "javascript:", "<iframe"):
        assert never not in html
    assert "bad" in made.text(editions.values_for(made))


def test_blank_subject_is_refused() -> None:
    with pytest.raises(problems.ContentProblem, match="the subject"):
        editions.compiled(subject=" \r\n ")


def test_subject_is_one_line_whatever_is_in_it() -> None:
    made = editions.compiled(subject="News\r\nBcc: all@example.org {{ subscriber.first_name }}")
    subject = made.subject({"subscriber.first_name": "Ana\r\nX-Evil: 1\u2028\x00"})
    assert subject == "News Bcc: all@example.org Ana X-Evil: 1"


def test_full_bulletin_stays_under_what_gmail_clips() -> None:
    item = content.DevelopmentItem(
        kind="news",
        kind_label="News",
        date_label="November 3, 2026",
        headline="A headline of an ordinary length for a bulletin",
        place="Boston",
        summary_html="<p>" + "Some words of summary. " * 15 + "</p>",
        url="https://news.example/a",
        source_name="The Globe",
    )
    items = tuple(
        dataclasses.replace(item, url=f"https://news.example/{number}") for number in range(20)
    )
    made = editions.compiled(*editions.EVERY_BLOCK, content.Developments(items=items))
    html = made.html(editions.values_for(made))
    assert len(html.encode()) < compiler.GMAIL_CLIPS_AT_BYTES
    assert "too-large" not in [concern.code for concern in made.concerns]


def test_mail_that_gmail_would_clip_is_a_concern() -> None:
    made = editions.compiled(content.RichText(html="<p>" + "words " * 20_000 + "</p>"))
    concern = next(each for each in made.concerns if each.code == "too-large")
    assert "102 KB" in concern.say(editions.CATALOG.translator("es"))


def test_missing_address_preheader_and_blocks_are_concerns() -> None:
    brand = dataclasses.replace(editions.BRAND, postal_address="")
    bare = dataclasses.replace(editions.edition(), blocks=(), preheader="")
    made = compiler.compile_edition(
        bare,
        brand,
        archive_url=editions.ARCHIVE_URL,
        translator=editions.CATALOG.translator("en"),
    )
    codes = {concern.code for concern in made.concerns}
    assert codes == {"no-postal-address", "no-preheader", "no-blocks"}


@pytest.mark.parametrize("tag", sorted(sanitise.TAGS))
@pytest.mark.parametrize("template", ["bulletin", "alert"])
def test_everything_that_staff_may_type_in_rich_text_can_be_sent(tag: str, template: str) -> None:
    inner = "<li>Our words</li>" if tag in ("ul", "ol") else "Our words"
    made = editions.compiled(
        content.RichText(html=f"<{tag}>{inner}</{tag}><p>Our words</p>"), template=template
    )
    values = editions.values_for(made)
    assert "Our words" in made.html(values)
    assert "Our words" in made.text(values)


def test_unknown_template_is_refused_with_those_there_are() -> None:
    with pytest.raises(Exception, match="bulletin, alert"):
        editions.compiled(template="poster")


def test_controls_and_broken_characters_do_no_harm() -> None:
    nasty = "a\x00b\x0bc\ud800d\u2028e"
    made = editions.compiled(
        content.Heading(text=nasty),
        content.RichText(html=f"<p>{nasty}</p>"),
        content.Event(title=nasty, when_label=nasty, place=nasty),
        title=nasty,
        date_label=nasty,
    )
    made.body(editions.values_for(made)).decode("ascii")
    assert plan.Plan.thaw(made.freeze()) == made


NEAR = Condition(towns=("Lynn",))
FAR = Condition(towns=("Lynn",), is_reversed=True)


def test_a_block_for_some_is_in_both_parts_for_them_alone() -> None:
    made = editions.compiled(
        RichText(html="<p>To all.</p>"),
        RichText(html="<p>To Lynn.</p>", shown_to=NEAR),
        Heading(text="Elsewhere", shown_to=FAR),
        RichText(html="<p>At the end.</p>"),
    )
    values = editions.values_for(made)
    assert made.conditions == (NEAR, FAR)
    for answers, seen, unseen in (
        ((True, False), "To Lynn.", "Elsewhere"),
        ((False, True), "Elsewhere", "To Lynn."),
    ):
        for part in (made.html(values, answers), made.text(values, answers)):
            assert seen in part
            assert unseen not in part
            assert part.index("To all.") < part.index(seen) < part.index("At the end.")
            assert part.index("At the end.") < part.index("unsubscribe_url")


def without_comments(html: str) -> str:
    """What all but Outlook see; its comments are drawn together where no section begins."""
    return re.sub(r"<!--.*?-->|(?<=>)\s+(?=<)", "", html, flags=re.DOTALL)


def test_a_mail_is_whole_with_and_without_each_section() -> None:
    blocks = [dataclasses.replace(each, shown_to=NEAR) for each in editions.EVERY_BLOCK]
    made, plain = editions.compiled(*blocks), editions.compiled()
    values = editions.values_for(plain)
    assert without_comments(made.html(values, (True,))) == without_comments(plain.html(values))
    assert made.text(values, (True,)) == plain.text(values)
    bare = made.html(values, (False,))
    assert bare.count("<div") == bare.count("</div>")
    assert bare.count("<table") == bare.count("</table>")
    assert bare.count("<!--[if") == bare.count("<![endif]-->")
    text = made.text(values, (False,))
    assert "\n\n\n" not in text
    assert "Unsubscribe" in text


def test_links_in_a_section_keep_their_numbers_whoever_sees_it() -> None:
    made = editions.compiled(
        Action(label="First", url="https://x.example/1", shown_to=NEAR),
        Action(label="Second", url="https://x.example/2"),
    )
    assert [(link.number, link.url) for link in made.links] == [
        (1, "https://x.example/1"),
        (2, "https://x.example/2"),
    ]
    values = editions.values_for(made)
    assert "https://go.example/click:2" in made.html(values, (False,))
    assert "https://go.example/click:1" not in made.html(values, (False,))


def test_blocks_with_the_same_condition_share_it() -> None:
    made = editions.compiled(
        Heading(text="A", shown_to=NEAR),
        Heading(text="B", shown_to=Condition(towns=("Lynn",))),
    )
    assert made.conditions == (NEAR,)


def test_what_stands_below_a_heading_that_is_not_shown_is_set_as_if_it_were_not_there() -> None:
    action = Action(label="Go", url="https://x.example/")
    under_hidden = editions.compiled(Heading(text="A", shown_to=NEAR), action)
    alone = editions.compiled(RichText(html="<p>x</p>"), action)
    rule = "border-top:3px solid"
    values = editions.values_for(alone)
    assert rule in alone.html(values)
    assert rule in under_hidden.html(editions.values_for(under_hidden), (False,))


def test_pages_of_ours_open_in_the_language_of_the_edition() -> None:
    brand = dataclasses.replace(editions.BRAND, language="en")
    words = (
        '<p><a href="https://coalition.example/issues/x#figures">a</a>'
        '<a href="https://coalition.example/files/1/a.pdf">b</a>'
        '<a href="https://coalition.example/archive?q=x&amp;lang=en">c</a>'
        '<a href="https://coalition.example.evil.example/x">d</a> {{ archive_url }}</p>'
    )
    spanish = editions.compiled(RichText(html=words), brand=brand, language="es")
    assert [link.url for link in spanish.links] == [
        "https://coalition.example/issues/x?lang=es#figures",
        "https://coalition.example/files/1/a.pdf",
        "https://coalition.example/archive?q=x&lang=en",
        "https://coalition.example.evil.example/x",
    ]
    assert f"{editions.ARCHIVE_URL}?lang=es" in spanish.text(editions.values_for(spanish))
    english = editions.compiled(RichText(html=words), brand=brand)
    assert english.links[0].url == "https://coalition.example/issues/x#figures"
