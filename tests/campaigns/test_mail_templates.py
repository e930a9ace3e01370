"""Templates of the site's own: only sound ones are kept, and none can break what is scheduled."""

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import bulletins, campaign_views, compiling, lifecycle, mail_templates
from campaigns.mail_template_models import MailTemplate
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from templates import content
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, text_block, written
from tests.world import campaigning, people
from tests.world.web import Web

OURS = mail_templates.original(content.Template.BULLETIN)
HEADED = OURS.replace(
    "{{ masthead.below(page.below) }}",
    "<mj-section><mj-column><mj-text>ONE WORLD</mj-text></mj-column></mj-section>\n"
    "  {{ masthead.below(page.below) }}",
)


@pytest.mark.storage
async def test_a_bulletin_is_set_in_it_and_a_change_asks_for_approval_again(
    ground: Ground,
) -> None:
    await people.subscribed(ground, "ana@example.org")
    made = await mail_templates.create(ground, actor=ANA, name="Bulletin", source=HEADED)
    assert made.key == "bulletin-2"
    document = campaigning.document()
    document = document.model_copy(update={"template": made.key})
    campaign = await campaigning.of_blocks(ground, document)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    with pytest.raises(errors.Refused):
        await mail_templates.delete(ground, actor=ANA, template_id=made.id)
    saved = await mail_templates.save(
        ground,
        actor=ANA,
        template_id=made.id,
        version=1,
        name="Bulletin",
        source=HEADED.replace("ONE", "TWO"),
    )
    assert saved.remade == 1
    assert (await campaign_views.show(ground, campaign_id=campaign.id)).is_changed
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        plans = await compiling.compile_plans(ground, session, bulletin)
    assert "TWO WORLD" in str(plans["es"].html_segments)
    with pytest.raises(errors.Conflict):
        await mail_templates.save(
            ground, actor=ANA, template_id=made.id, version=1, name="x", source=HEADED
        )


async def test_one_that_stopped_working_breaks_no_mail(ground: Ground) -> None:
    made = await mail_templates.create(ground, actor=ANA, name="Ours", source=HEADED)
    bulletin = await newsroom.bulletin(
        ground, written(issue="", template=made.key, blocks=[text_block("Hello", "Hola")])
    )
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(MailTemplate)
            .where(col(MailTemplate.id) == made.id)
            .values(source=HEADED.replace("masthead.line", "masthead.gone"))
        )
    async with ground.db.reading() as session:
        looked = await compiling.look(ground, session, bulletin)
    codes = {each.code: each.is_blocking for each in looked.findings}
    assert codes["template-unusable"] is False
    assert "Hello" in str(looked.editions["en"].plan.html_segments)
    with pytest.raises(errors.Invalid, match="no mail template"):
        await newsroom.bulletin(ground, written(issue="", template="gone", blocks=[]))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (OURS.replace("{{ footer.bulletin(page) }}", ""), "way out"),
        (OURS.replace("{{ blocks.all(page.parts) }}", ""), "Blocks are missing"),
        (
            OURS.replace(
                "{{ footer.bulletin(page) }}",
                "{{ footer.bulletin(page) }}<mj-raw>{{ page.pixel }}</mj-raw>",
            ),
            "has to be there once",
        ),
        (OURS.replace("page.date_label", "page.day"), "page.day"),
        (OURS.replace("masthead.line(page.date_label)", "masthead.line()"), "not understood"),
    ],
)
async def test_what_a_mail_would_lack_is_said(ground: Ground, broken: str, words: str) -> None:
    with pytest.raises(mail_templates.Flawed) as caught:
        await mail_templates.create(ground, actor=ANA, name="x", source=broken)
    assert any(words in str(each.problem) for each in caught.value.flaws)


async def test_it_is_written_in_the_browser_with_its_flaws_on_their_lines(
    ground: Ground, web: Web
) -> None:
    editor = await web.as_staff(Role.EDITOR)
    assert "blocks.all(page.parts)" in (await editor.get("/staff/templates/new?of=alert")).text
    broken = {"name": "Ours", "source": HEADED.replace("page.date_label", "page.day")}
    for path in ("/staff/templates/check", "/staff/templates/new"):
        answer = await editor.post(path, broken)
        assert 'data-line="9"' in answer.text
    assert (await editor.post("/staff/templates/sample", broken)).status == 422
    good = {"name": "Ours", "source": HEADED, "scheme": "dark"}
    sample = await editor.post("/staff/templates/sample", good)
    assert ("ONE WORLD" in sample.text, sample.status) == (True, 200)
    assert (await editor.post("/staff/templates/new", good)).status == 303
    await newsroom.bulletin(ground, written(issue="", blocks=[]))
    assert 'value="ours"' in (await editor.get("/staff/bulletins/1/head")).text
    again = {**good, "version": "1", "source": HEADED.replace("ONE", "NEW")}
    assert (await editor.post("/staff/templates/1", again)).status == 303
    back = await editor.post("/staff/templates/1/versions", {"version": "2", "wanted": "1"})
    assert back.status == 303
    async with ground.db.reading() as session:
        (kept,) = (await session.exec(select(MailTemplate))).all()
    assert (kept.version, "ONE WORLD" in kept.source) == (3, True)
    author = await web.as_staff(Role.AUTHOR)
    assert (await author.get("/staff/templates/1")).status == 200
    assert (await author.post("/staff/templates/1", again)).status == 403
