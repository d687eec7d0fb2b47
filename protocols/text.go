package protocols

import (
	"net/url"
	"strings"
)

// CleanText is the text as every database can keep it: valid UTF-8 without
// NUL. What is neither is replaced by U+FFFD.
func CleanText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// CutText is the text, or its beginning if it is longer than limit bytes; no
// character is cut in two.
func CutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// OneLine is the text with every run of blanks and line ends as one blank.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// maxURL is the longest URL in bytes that is kept of a package.
const maxURL = 2000

// WebURL is the URL if a browser may follow it and it is at most 2,000 bytes
// long, else "": a package's links become links of our pages.
func WebURL(raw string) string {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(raw) > maxURL {
		return ""
	}
	return raw
}
