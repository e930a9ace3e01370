"""What a newcomer sees of the demo, before a browser is opened."""

from tests.world.demo import Demo


def test_the_demo_shows_where_to_look(demo: Demo) -> None:
    assert len(demo.shown) > 3
    assert set(demo.shown.values()) == {200}
