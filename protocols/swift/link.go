package swift

import "strings"

// links writes a Link header (RFC 8288). By hand: the client splits it at
// commas and semicolons, and counts the parts.
type links []string

// add adds a link with its relation, unless the URL would break the header.
func (l *links) add(url, relation string, more ...string) {
	if url == "" || strings.ContainsAny(url, "<>,; \"\r\n\t") {
		return
	}
	entry := "<" + url + `>; rel="` + relation + `"`
	for i := 0; i < len(more); i += 2 {
		entry += "; " + more[i] + `="` + more[i+1] + `"`
	}
	*l = append(*l, entry)
}

func (l links) String() string { return strings.Join(l, ", ") }
