package rpm

import (
	"strconv"
	"strings"
)

// xmlEscapes are the characters that have a meaning in elements and in
// attributes between double quotes. A line end within an attribute would be
// read as a blank.
var (
	xmlText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	xmlAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;", "\n", "&#10;", "\t", "&#9;")
)

// xmlWriter writes elements. Texts are to be clean: see rpmfile.CleanText.
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
