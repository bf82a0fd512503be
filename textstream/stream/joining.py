r"""What must wait for the text behind it, and what need not: the rule, in one place. No I/O.

By UAX #29 nearly every character may be joined by what follows: a combining mark joins a full
stop. Taken at its word, the last character of a sentence would wait for as long as its source
rests. So a source that rests is believed to have said the whole of its last character, or word,
*unless it is of a kind that goes on in practice*. Text comes in NFC (W3C, Character Model for the
World Wide Web: Normalization, section 3), and there these kinds do not go on, or hardly ever:

- letters of scripts whose marks NFC composes with them, and Hangul syllables, with which it
  composes the jamo that follow (UAX #15, section 3);
- Han ideographs, of which few have a variation sequence (UTS #37);
- white space, punctuation, digits, and symbols that are no emoji;
- two regional indicators: a flag is whole (GB12, GB13);
- controls, LF, and CR LF: by GB4 nothing joins them at all.

All others wait, for however long. A carriage return waits for its LF; an emoji for what most of
them may have: a skin tone, a variation selector, a joiner; half a flag for the other half;
a conjoining jamo, a letter of an Indic script, of Thai, Arabic, Hebrew, for the vowel. To let them
go too, only later, was rejected: a model that takes seconds for a token would have each such
character cut in pieces.

Where the rule errs (an x is let go, then comes a macron), the mark is a unit of its own: the text
is exact, and so are the offsets.
"""

from __future__ import annotations

import regex

_PLAIN = (
    r"[\p{Punctuation}\p{Nd}\p{White_Space}"
    r"\p{sc=Common}\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Armenian}\p{sc=Georgian}"
    r"\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Bopomofo}]"
)
_WHOLE_CLUSTER = regex.compile(
    # V1: sets have differences and intersections. GCB: the property of UAX #29, table 2.
    rf"(?V1)[{_PLAIN}&&\p{{GCB=Other}}"
    r"--[\p{Extended_Pictographic}\p{InCB=Consonant}\p{InCB=Linker}]]"
    r"|[\p{GCB=LV}\p{GCB=LVT}\p{GCB=Control}\p{GCB=LF}]|\r\n|\p{RI}{2}"
)

UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)
"""Scripts written without spaces between words (UAX #14, classes ID and SA, and kana)."""

# What ends a phrase, with the quotes and the Markdown that may stand behind it. No hyphen, slash or
# quote by itself: they go on, as in "don't".
_ENDS_WORD = regex.compile(r"""[\p{Terminal_Punctuation}…\p{Pe}]["'*_`~\p{Pf}]*+\Z""")


def cluster_waits(cluster: str) -> bool:
    """Return whether a grapheme cluster, the last so far, waits for what follows."""
    return _WHOLE_CLUSTER.fullmatch(cluster) is None


def word_waits(word: str) -> bool:
    """Return whether a word, the last so far, waits for what follows: letters do, or white space.

    One does not that ends in white space, in punctuation that ends a phrase, or in a script that is
    written without spaces. Its last cluster has its own say.
    """
    last = word[-1]
    return not (last.isspace() or UNSPACED.match(last) or _ENDS_WORD.search(word))
