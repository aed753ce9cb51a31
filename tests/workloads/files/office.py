"""Office documents as an independent library writes them."""

from io import BytesIO
from typing import Any

import docx
import pptx
from pptx.util import Inches


def word_document() -> bytes:
    """A title, two headings, paragraphs, a list, a table, a box for one paragraph."""
    made = docx.Document()
    made.add_heading("Bread", 0)
    made.add_paragraph("Bread is made of flour, water and time.")
    made.add_heading("Dough", 1)
    paragraph = made.add_paragraph("Knead the dough ")
    paragraph.add_run("well").bold = True
    paragraph.add_run(", then let it rest.")
    made.add_paragraph("Flour comes first", style="List Bullet")
    made.add_heading("Oven", 2)
    made.add_paragraph("Heat opens & closes <the> crust.")
    _fill(made.add_table(2, 2), "left", "right")
    _fill(made.add_table(1, 1), "A box holds one paragraph.")
    made.sections[0].footer.paragraphs[0].text = "Printed by nobody"
    return _saved(made)


def presentation() -> bytes:
    """A title slide, a slide of points with notes, a slide with a table only."""
    made: Any = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[0])
    first.shapes.title.text = "Queues"
    first.placeholders[1].text = "Waiting in good order"
    second = made.slides.add_slide(made.slide_layouts[1])
    second.shapes.title.text = "Fairness"
    second.placeholders[1].text = "Everybody gets a turn\nNobody gets two"
    second.notes_slide.notes_text_frame.text = "Tell the story of the bakery here."
    third = made.slides.add_slide(made.slide_layouts[6])
    box = third.shapes.add_textbox(Inches(1), Inches(1), Inches(4), Inches(1))
    box.text_frame.text = "A free text box."
    third.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1))
    return _saved(made)


def _fill(table: Any, *texts: str) -> None:
    for cell, text in zip(table.rows[0].cells, texts, strict=True):
        cell.text = text


def _saved(made: Any) -> bytes:
    stream = BytesIO()
    made.save(stream)
    return stream.getvalue()
