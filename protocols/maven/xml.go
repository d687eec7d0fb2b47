package maven

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"

	"entrepot/registry"
)

// maxXML is the longest POM or document that is read, in bytes.
const maxXML = 4 << 20

// readXML reads a request's body that is to be parsed. Errors: TooLarge,
// Invalid when it breaks off.
func readXML(body io.Reader, announced int64) ([]byte, error) {
	tooLarge := registry.Errorf(registry.TooLarge, "a POM or maven-metadata.xml has at most %d bytes", maxXML)
	if announced > maxXML {
		return nil, tooLarge
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxXML+1))
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "the body broke off: %v", err)
	}
	if len(raw) > maxXML {
		return nil, tooLarge
	}
	if announced >= 0 && int64(len(raw)) != announced {
		return nil, registry.Errorf(registry.Invalid, "the body is not as long as announced")
	}
	return raw, nil
}

// decodeXML decodes one whole document into v, in whatever encoding it says it
// is, and nothing may follow it. Like Maven it knows HTML's names of
// characters, which people write into POMs, and no other entities: documents
// cannot blow themselves up. encoding/xml bounds the nesting, maxXML the rest.
func decodeXML(raw []byte, v any) error {
	var body io.Reader = bytes.NewReader(raw)
	wide := bytes.HasPrefix(raw, []byte("\xfe\xff")) || bytes.HasPrefix(raw, []byte("\xff\xfe"))
	if wide {
		body = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(body)
	}
	d := xml.NewDecoder(body)
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if wide && strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return in, nil // decoded already
		}
		return charset.NewReaderLabel(label, in)
	}
	if err := d.Decode(v); err != nil {
		return err
	}
	for {
		switch token, err := d.Token(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		default:
			text, isText := token.(xml.CharData)
			_, isElement := token.(xml.StartElement)
			if isElement || isText && len(bytes.TrimSpace(text)) > 0 {
				return errors.New("there is more after the end of the document")
			}
		}
	}
}
