"""Neighbouring clips of one take are one source; where nobody can know, blocks of rows are."""

from vigil.footage.listing.takes import NUMBERS, ROWS, VIEWS, Clip, explain_groups, group_clips


def clips(label: str, *numbers: tuple[float, float] | None, rows: int = 10) -> list[Clip]:
    return [Clip(label, rows, span, 10.0) for span in numbers]


def test_clips_whose_frame_numbers_overlap_or_nearly_touch_are_one_source() -> None:
    takes = clips("theft", (1000, 1200), (1100, 1300), (1350, 1500), (5000, 5200), (9000, 9100))
    assert group_clips(takes, None) == [
        *[("take-001", NUMBERS)] * 3,
        ("take-002", NUMBERS),
        ("take-003", NUMBERS),
    ]
    assert explain_groups(takes, group_clips(takes, None)) == []


def test_a_take_that_changes_its_label_is_one_source() -> None:
    takes = clips("theft", (0, 100)) + clips("normal", (110, 200)) + clips("theft", (5000, 5100), (9000, 9100))
    assert [source for source, _ in group_clips(takes, None)] == ["take-001", "take-001", "take-002", "take-003"]


def test_numbers_that_begin_anew_in_each_clip_tell_nothing() -> None:
    takes = clips("theft", *[(100, 1500)] * 10)
    groups = group_clips(takes, None)
    assert [source for source, _ in groups] == [f"theft-block-{n}" for n in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5)]
    (warning,) = explain_groups(takes, groups)
    assert "FRAME_NUM of theft begins anew" in warning and "views: N" in warning


def test_without_numbers_blocks_are_of_equal_rows_and_divide_no_clip() -> None:
    takes = clips("normal", *[None] * 3, rows=40) + clips("normal", *[None] * 8, rows=10)
    groups = group_clips(takes, 5)
    assert [source[-1] for source, _ in groups] == ["1", "2", "3", *"44445555"]  # 40 rows are a block
    assert {by for _, by in groups} == {ROWS}
    assert "normal has no FRAME_NUM" in explain_groups(takes, groups)[0]


def test_the_users_word_on_views_counts() -> None:
    groups = group_clips(clips("assault", *[(0, 100)] * 5), 2)
    assert [source for source, _ in groups] == [f"assault-event-00{n}" for n in (1, 1, 2, 2, 3)]
    assert {by for _, by in groups} == {VIEWS}
