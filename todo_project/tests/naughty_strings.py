"""Texts that have broken other programs: each must be returned unchanged or refused."""

TEXTS = (
    # null values, numbers and white space
    *("null", "None", "undefined", "NaN", "Infinity", "true", "0", "-1", "1e400", "0x1F", "007"),
    *("", " ", "\t", "\N{NO-BREAK SPACE}", "\u200b", "\ufeff", "\x1c", "\u3000\u2003", "\u180e"),
    # quotes, escapes and injections
    *("'", '"', "`", "\\", "\\\\", "\\0", "\\u0000", "%00", "%25", "%2F", "%s%s%n", "{0}"),
    *("{{7*7}}", "'; DROP TABLE task; --", "' OR '1'='1", "$$", "$1", ":name", "a\\'b", "/* */"),
    *("--", "<script>alert(1)</script>", "&lt;", "<!--", "]]>", "javascript:0", "${7*7}", "=1+1"),
    "@x",
    # paths, queries and headers
    *("../../etc/passwd", "a/b", "//", ".", "..", "?", "#", "a?b=c&d", "a;b", "a+b", "C:\\con"),
    *("~", "x\r\nSet-Cookie: a=b", "\n", "a\rb", "\x1b[31mred", "\x7f", "\x85", "\x08", "\x01"),
    "a\u2028b",
    # characters that cannot be stored
    *("\x00", "a\x00b", "\ud800", "\udfff", "\udc00\ud800", "x\ud83d"),
    # scripts, text directions, combining characters and planes
    *("\u00e9", "e\u0301", "\u1e9e\u00df", "\u0130\u0131", "\u03c3\u03c2", "\ufb01", "\u01c6"),
    *("\u0639\u0631\u0628\u0649", "\u202eright to left\u202c", "\u2066x\u2069"),
    *("Z\u0351\u036b\u0343", "\U0001f4a9", "\U0001f469\u200d\U0001f469\u200d\U0001f467"),
    *("\U0001f1e9\U0001f1ea", "\ufe0f", "\u7530\u4e2d", "\U00020021", "\U0010ffff", "\uffff"),
    *("\ufffe", "\ufffd", "\ue000", "\u0661"),
    # at and beyond the limits
    *("x" * 200, "x" * 201, "\U0001f4a9" * 200, "x" * 255, "x" * 1000, "\U0001f4a9" * 1001),
)
