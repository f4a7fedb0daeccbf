"""Plans: which source a window has, which slots wake with it, and what is no plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.chain.growth import SLOTS, parse_growth, slot_names, slots_mask
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.trainer.plan.plan import Plan, PlanRange
from chainbeasts.trainer.plan.sources import Battle, TrainingSource, source_text
from chainbeasts.trainer.plan.text import parse_plan, parse_training_source
from chainbeasts.trainer.plan.toml import make_plan, read_plan

USABLE = (Source.CURRICULUM, Source.SELF_PLAY, Source.PRIVATE)
sources = st.one_of(st.sampled_from(USABLE), st.builds(Battle, st.integers(1, 2**32 - 1)))
C, S, P = USABLE


@st.composite
def plan_ranges(draw: st.DrawFn) -> tuple[PlanRange, ...]:
    """Ranges without overlaps, in any order, the last one perhaps without end."""
    made, first = [], 0
    for _ in range(draw(st.integers(0, 5))):
        first += draw(st.integers(0, 5))
        last = first + draw(st.integers(0, 5))
        made.append(PlanRange(draw(sources), first, last))
        first = last + 1
    if made and draw(st.booleans()):
        made[-1] = PlanRange(made[-1].source, made[-1].first, None)
    return tuple(draw(st.permutations(made)))


@given(plan_ranges(), st.lists(sources, min_size=1, max_size=4))
def test_every_window_has_the_source_that_counting_gives(
    ranges: tuple[PlanRange, ...], rest: list[TrainingSource]
) -> None:
    plan = parse_plan(",".join([one.text for one in ranges] + [source_text(s) for s in rest]))
    assert plan == Plan(ranges, tuple(rest))
    turn = 0
    for window in range(60):
        named = [
            r.source for r in ranges if r.first <= window and (r.last is None or window <= r.last)
        ]
        wanted = named[0] if named else rest[turn % len(rest)]
        turn += not named
        assert plan.source(window) == wanted
    plan.check(0, 0x11, None)


@given(st.dictionaries(st.sampled_from(SLOTS), st.integers(0, 40), min_size=1))
def test_growth_wakes_its_slots_in_its_window_alone(given_: dict[str, int]) -> None:
    growth = parse_growth(",".join(f"{slot}@{window}" for slot, window in given_.items()))
    plan = Plan(rest=(C,), growth=growth)
    for window in range(42):
        wanted = [slot for slot, at in given_.items() if at == window]
        assert plan.wake(window) == slots_mask(wanted)
    assert len(plan.growth_in(10, 5)) == len({w for w in given_.values() if 10 <= w <= 14})
    assert len(plan.growth_in(0, None)) == len(set(given_.values()))


def test_the_guides_example() -> None:
    plan = parse_plan("curriculum:0-40, self_play,private")
    assert [plan.source(window) for window in (0, 40, 41, 42, 43)] == [C, C, S, P, S]
    assert plan.sources == set(USABLE)
    assert parse_plan("private:7").source(7) is P
    assert parse_plan("curriculum:0-3,self-play:4-").source(10**6) is S


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chess", "chess: there is no source 'chess'"),
        ("curriculum,battle:5-9", "battle:5-9: which match is to be trained on?"),
        ("battle#", "battle#: which match is to be trained on?"),
        ("battle#x:3", "battle#x:3: which match is to be trained on?"),
        ("battle#0", "battle#0: matches are numbered from 1"),
        ("battle#4294967296", "matches are numbered from 1"),
        ("battle#3:0-4,battle#4:4", "battle#3:0-4 and battle#4:4 both plan window 4"),
        ("curriculum:0-40,self-play:40-50", "curriculum:0-40 and self-play:40-50 both plan"),
        ("curriculum:3-,private:9", "curriculum:3- and private:9 both plan window 9"),
        ("curriculum:0-4,private:6-", "window 5 has no source"),
        ("curriculum:9-4", "curriculum:9-4: the range ends before it begins"),
        ("curriculum:x", "curriculum:x: 'x' is no range"),
        ("curriculum:-4", "'-4' is no range"),
        ("curriculum:٣", "is no range"),
        ("curriculum,,private", "empty item"),
        ("", "empty item"),
        ("private:4294967296", "numbered from 0"),
    ],
)
def test_what_is_no_plan_is_named(text: str, said: str) -> None:
    with pytest.raises(ChainBeastsError) as caught:
        parse_plan(text)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s1", "'s1' is no planned growth"),
        ("s9@3", "s9@3: there is no slot 's9'"),
        ("s1@3,s1@3", "s1@3 is planned twice"),
        ("s1@3,s1@8", "s1@8: s1 wakes at window 3 already"),
    ],
)
def test_what_is_no_growth_is_named(text: str, said: str) -> None:
    with pytest.raises(ChainBeastsError) as caught:
        make_plan(None, text, C)
    assert said in caught.value.message


def test_a_plan_is_held_against_the_beast() -> None:
    plan = make_plan("curriculum:0-9", "s1@4,a2@7", C)
    plan.check(0, 0b0001_0001, 10)
    plan.check(5, 0b0001_0011, 5)  # s1 woke as planned
    plan.check(10, 0b0101_0011, 0)
    for head, mask, windows, said in (
        (0, 0x11, 11, "no source for window 10"),
        (0, 0x11, None, "no source for window 10"),
        (0, 0b0001_0011, 10, "s1@4: s1 is awake already"),
        (5, 0x11, 5, "s1@4: window 4 is past, and s1 sleeps"),
    ):
        with pytest.raises(ChainBeastsError) as caught:
            plan.check(head, mask, windows)
        assert said in caught.value.message
    with pytest.raises(ChainBeastsError, match="no source for window 3"):
        parse_plan("curriculum:5-").check(3, 0x11, 1)


def test_names_of_slots() -> None:
    assert slot_names(0b0100_0010) == "s1 a2"
    assert slots_mask(["s1", "a2"]) == 0b0100_0010


def test_a_file_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        '[[train]]\nsource = "curriculum"\nfirst = 0\nlast = 40\n'
        '[[train]]\nsource = "self_play"\n[[train]]\nsource = "private"\n'
        '[[grow]]\nwindow = 20\nwake = ["s1", "a2"]\n'
    )
    wanted = make_plan("curriculum:0-40,self-play,private", "s1@20,a2@20,a3@30", C)
    assert make_plan(str(path), "a3@30", C) == wanted


@pytest.mark.parametrize("text", ["battle:7", "battle#7", "Battle:#7", " battle:7 "])
def test_the_option_names_a_match_either_way(text: str) -> None:
    assert parse_training_source(text) == Battle(7)


def test_a_match_is_no_range_of_windows(tmp_path: Path) -> None:
    plan = parse_plan("battle#7:0-3,battle#8:4,curriculum")
    assert [plan.source(window) for window in (0, 3, 4, 5)] == [Battle(7), Battle(7), Battle(8), C]
    path = tmp_path / "plan.toml"
    path.write_text(
        '[[train]]\nsource="battle#7"\nfirst=0\nlast=3\n'
        '[[train]]\nsource="battle#8"\nfirst=4\nlast=4\n[[train]]\nsource="curriculum"\n'
    )
    assert read_plan(path) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[train]\n", "is not TOML"),
        ("a = " + "[" * 5_000 + "]" * 5_000, "is not TOML: it is nested too deeply"),
        ("[[train]]\nfirst = " + "9" * 5_000, "is not TOML"),
        ("", "names no source"),
        ("[[learn]]\n", "unknown 'learn'"),
        ("[train]\n", "no list of tables"),
        ('[[train]]\nsource="curriculum"\nwindow=3', "[[train]] 1 has an unknown 'window'"),
        ('[[train]]\nsource="curriculum"\nlast=3', "[[train]] 1 has a last window and no first"),
        ('[[train]]\nsource="curriculum"\nfirst=true', "[[train]] 1 has no first that is"),
        ('[[train]]\nsource="curriculum"\nfirst=-1', "[[train]] 1: windows are numbered"),
        ("[[train]]\nsource=3", "[[train]] 1 has no source in quotes"),
        ('[[train]]\nsource="battle"', "[[train]] 1: which match is to be trained on?"),
        ('[[train]]\nsource="private"\n[[grow]]\nwindow=1', "[[grow]] 1 names no slots"),
        ('[[train]]\nsource="private"\n[[grow]]\nwindow=1\nwake=["x"]', "[[grow]] 1: there is no"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(ChainBeastsError) as caught:
        read_plan(path)
    assert said in caught.value.message
    with pytest.raises(ChainBeastsError, match="cannot be read"):
        read_plan(tmp_path / "absent.toml")
