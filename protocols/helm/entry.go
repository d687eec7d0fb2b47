package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"entrepot/protocols"
	"entrepot/registry"
)

// The marks in an index: for the repository's URL as the client spells it,
// and for the path of it. They cannot occur otherwise, for JSON has no bare
// control characters.
const (
	rootMark = '\x01'
	pathMark = '\x02'
)

// marks are what stands for the marks in an answer.
func marks(r *protocols.Request) protocols.Marks {
	return protocols.Marks{rootMark: inQuotes(root(r)), pathMark: inQuotes(rootPath(r))}
}

// inQuotes is a text as it stands between quotation marks, in JSON and in
// YAML.
func inQuotes(text string) string {
	quoted, err := quote(text)
	if err != nil {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}

// maxEntry is the longest entry of an index in bytes.
const maxEntry = 512 << 10

// entry is a chart's entry of the index but for the instant of publishing:
// a JSON object, which is YAML too, on one line. Every text in it is quoted,
// so that 1.10, no and 2024-01-01 stay texts.
func entry(c *chart, digest string) ([]byte, error) {
	b, err := quote(c)
	if err != nil {
		return nil, fmt.Errorf("encode chart: %w", err)
	}
	b = append(b[:len(b)-1], `,"urls":["`...)
	b = append(b, rootMark, '/')
	b = append(b, escapeFile(chartFile(c.Name, c.Version))...)
	b = append(append(b, `"],"digest":"`...), digest...)
	b = append(b, `"}`...)
	if len(b) > maxEntry {
		return nil, registry.Errorf(registry.TooLarge, "Chart.yaml makes an index entry of more than %d bytes", maxEntry)
	}
	return b, nil
}

// dated is an entry with the instant of publishing.
func dated(entry []byte, created time.Time) ([]byte, error) {
	if len(entry) < 2 || entry[len(entry)-1] != '}' {
		return nil, fmt.Errorf("the entry is damaged")
	}
	b := make([]byte, 0, len(entry)+50)
	b = append(append(b, entry[:len(entry)-1]...), `,"created":"`...)
	b = created.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	return append(b, `"}`...), nil
}

// quote writes JSON that is YAML as well: without characters that YAML does
// not have bare, which JSON allows.
func quote(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	raw := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		c, size := utf8.DecodeRune(raw)
		if c >= 0x7f && c <= 0x9f || c == 0xfeff || c == 0xfffe || c == 0xffff {
			out = fmt.Appendf(out, `\u%04x`, c)
		} else {
			out = append(out, raw[:size]...)
		}
		raw = raw[size:]
	}
	return out, nil
}
