package debian

import (
	"bytes"
	"strings"
	"testing"

	"entrepot/registry"
)

func FuzzReadControl(f *testing.F) {
	f.Add([]byte("!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n"))
	f.Add([]byte("!<arch>\n_x              0           0     0     100644  1         `\na\ncontrol.tar.xz  0           0     0     100644  0         `\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		control, err := readControl(bytes.NewReader(body), int64(len(body)))
		if err != nil && registry.CodeOf(err) != registry.Invalid {
			t.Errorf("an archive that is no good gives %v", err)
		}
		if err == nil && len(control) > maxControl {
			t.Errorf("%d bytes of a control file", len(control))
		}
	})
}

// FuzzParseControl holds what an index may never contain: a stanza that is
// more than one, or that says what the index itself says.
func FuzzParseControl(f *testing.F) {
	f.Add([]byte("Package: a0\nVersion: 1\nArchitecture: all\nDescription: x\n y\n .\n z\n"))
	f.Add([]byte("Package: a0\n \t\nSHA256: 0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePack(text)
		if err != nil {
			return
		}
		fragment := string(p.control.fragment())
		if strings.ContainsAny(fragment, "\r\x00") || !strings.HasSuffix(fragment, "\n") {
			t.Errorf("the fragment is %q", fragment)
		}
		for line := range strings.Lines(fragment) {
			name, _, _ := strings.Cut(line, ":")
			if strings.Trim(line, " \t\n") == "" || ownFields[strings.ToLower(name)] {
				t.Errorf("the fragment has the line %q", line)
			}
		}
		again, err := parsePack([]byte(fragment))
		if err != nil || again.identity != p.identity || !bytes.Equal(again.control.fragment(), p.control.fragment()) {
			t.Errorf("the fragment is read as something else: %v", err)
		}
		if parsed, err := parseFile(p.file()); err != nil || parsed != p.identity {
			t.Errorf("%s is read as %v, %v", p.file(), parsed, err)
		}
	})
}
