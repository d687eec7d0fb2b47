package rpm

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// cleanText is the text as XML 1.0 can hold it (section 2.2): bytes that are
// not UTF-8 are taken for Latin-1, in which old packages are written, and
// characters that no document may have are left out.
func cleanText(text string) string {
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

// xmlEscapes are the characters that have a meaning in elements and in
// attributes between double quotes. A line end within an attribute would be
// read as a blank.
var (
	xmlText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	xmlAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;", "\n", "&#10;", "\t", "&#9;")
)

// xmlWriter writes elements. Texts are to be clean.
type xmlWriter struct{ strings.Builder }

// open begins an element with attributes, names and values in turn.
func (w *xmlWriter) open(name string, attributes ...string) {
	w.tag(name, attributes)
	w.WriteByte('>')
}

func (w *xmlWriter) tag(name string, attributes []string) {
	w.WriteString("<" + name)
	for i := 0; i < len(attributes); i += 2 {
		w.WriteString(" " + attributes[i] + `="` + xmlAttribute.Replace(attributes[i+1]) + `"`)
	}
}

func (w *xmlWriter) close(name string) { w.WriteString("</" + name + ">") }

// text is an element with text in it.
func (w *xmlWriter) text(name, text string, attributes ...string) {
	if text == "" {
		w.empty(name, attributes...)
		return
	}
	w.open(name, attributes...)
	w.WriteString(xmlText.Replace(text))
	w.close(name)
}

// empty is an element without content.
func (w *xmlWriter) empty(name string, attributes ...string) {
	w.tag(name, attributes)
	w.WriteString("/>")
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
