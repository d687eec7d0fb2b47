package rpmfile

import (
	"strings"
	"unicode/utf8"
)

// CleanText is the text as XML 1.0 can hold it (section 2.2): bytes that are
// not UTF-8 are taken for Latin-1, in which old packages are written, and
// characters that no document may have are left out.
func CleanText(text string) string {
	good := func(c rune) bool {
		return c >= 0x20 && c <= 0xd7ff || c == '\t' || c == '\n' || c == '\r' || c >= 0xe000 && c <= 0xfffd || c >= 0x10000
	}
	if utf8.ValidString(text) && strings.IndexFunc(text, func(c rune) bool { return !good(c) }) < 0 {
		return text
	}
	var b strings.Builder
	for text != "" {
		c, n := utf8.DecodeRuneInString(text)
		if c == utf8.RuneError && n == 1 {
			c = rune(text[0])
		}
		if good(c) {
			b.WriteRune(c)
		}
		text = text[n:]
	}
	return b.String()
}
