"""Text that never says the same twice: the dearest there is for whoever counts words."""

from itertools import islice, product

LETTERS = "abcdefghijklmnopqrst"
WORDS_OF_A_SENTENCE = 9


def different_words(length: int, end: str = "") -> str:
    """So many characters of different words of seven letters; `end` closes each sentence."""
    words = ["".join(letters) for letters in islice(product(LETTERS, repeat=7), length // 8)]
    sentences = (
        " ".join(words[start : start + WORDS_OF_A_SENTENCE]).capitalize() + end
        for start in range(0, len(words), WORDS_OF_A_SENTENCE)
    )
    return " ".join(sentences)
