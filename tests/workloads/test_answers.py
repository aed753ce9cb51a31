"""Reading what a model said, by tables of what models say."""

import pytest

from workloads.llm import BadAnswer
from workloads.notes import answers


@pytest.mark.parametrize(
    ("answer", "sections"),
    [
        ("## One\n- A.\n- B.\n## Two\n- C.", [("One", ("A.", "B.")), ("Two", ("C.",))]),
        ("- A.\n* B.\n• C.\n1. D.\n2) E.", [("Default", ("A.", "B.", "C.", "D.", "E."))]),
        ("**One**\n- **Strong** point", [("One", ("Strong point",))]),
        ("```markdown\n## One\n- A.\n```", [("One", ("A.",))]),
        ("<think>Let me see.\n- no\n</think>\n# One\n- A.", [("One", ("A.",))]),
        ("Prose comes. In sentences.", [("Default", ("Prose comes.", "In sentences."))]),
        ("## Empty\n## One\n- A.", [("One", ("A.",))]),
    ],
)
def test_an_outline_is_found_in_many_forms(
    answer: str, sections: list[tuple[str, tuple[str, ...]]]
) -> None:
    outline = answers.outline(answer, "Default")

    assert [(one.heading, one.points) for one in outline.sections] == sections


@pytest.mark.parametrize(
    "line", ["TERMS: a, b c", "Terms: a, b c.", "**Key terms:** a, *b c*", "- TERMS: a, b c"]
)
def test_key_terms_are_found_and_are_no_point(line: str) -> None:
    outline = answers.outline(f"- A.\n{line}", "Default")

    assert outline.terms == ("a", "b c")
    assert outline.sections[0].points == ("A.",)


@pytest.mark.parametrize("answer", ["", "##", "## Only a heading", "---", "<think>endless"])
def test_an_answer_without_points_is_bad(answer: str) -> None:
    with pytest.raises(BadAnswer):
        answers.outline(answer, "Default")


def test_what_a_model_says_is_bounded() -> None:
    outline = answers.outline(
        "## " + "x" * 999 + "\n" + "- " + "y" * 9999 + "\n- z" * 99, "Default"
    )

    assert len(outline.sections[0].heading) == answers.LONGEST_HEADING
    assert len(outline.sections[0].points) == answers.MOST_POINTS
    assert len(outline.sections[0].points[0]) == answers.LONGEST_POINT


@pytest.mark.parametrize(
    ("answer", "summary"),
    [
        ("It is\nall one.", "It is all one."),
        ("## Summary\n\n**All** of it.", "All of it."),
        ("- First.\n- Second.", "First. Second."),
    ],
)
def test_a_summary_is_one_plain_paragraph(answer: str, summary: str) -> None:
    assert answers.summary(answer) == summary


def test_an_answer_without_a_summary_is_bad() -> None:
    with pytest.raises(BadAnswer):
        answers.summary("# Summary")


@pytest.mark.parametrize(
    "answer",
    [
        "Q: What?\nA: That.",
        "**Q:** What?\n**A:** That.",
        "1. Q: What?\n   A: That.",
        "Question 1: What?\nAnswer: That.",
        "Here you go.\nQ1: What?\n\nA1: That.\nQ2: Unanswered?",
    ],
)
def test_questions_are_found_in_many_forms(answer: str) -> None:
    (question,) = answers.quiz(answer)

    assert (question.question, question.answer) == ("What?", "That.")


def test_an_answer_without_questions_is_bad() -> None:
    with pytest.raises(BadAnswer):
        answers.quiz("A: That.\nQ: What?")
