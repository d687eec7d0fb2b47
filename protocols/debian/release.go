package debian

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"entrepot/registry"
)

// release is the document that names all files of a distribution.
//
// https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files
type release struct {
	distribution  string
	settings      map[string]string
	date          time.Time
	components    []string
	architectures []string
	files         []registry.Added
}

// add notes a component and an architecture.
func (r *release) add(component, arch string) {
	if !slices.Contains(r.components, component) {
		r.components = append(r.components, component)
	}
	if !slices.Contains(r.architectures, arch) {
		r.architectures = append(r.architectures, arch)
	}
}

// write is the document: a field a line, and the digest of every file, the
// uncompressed forms among them, without which apt sees no package at all.
func (r *release) write() []byte {
	slices.Sort(r.components)
	slices.Sort(r.architectures)
	var b bytes.Buffer
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	field("Origin", r.settings[settingOrigin])
	field("Label", r.settings[settingLabel])
	field("Suite", r.settings[settingSuite])
	field("Codename", r.distribution)
	field("Date", r.date.UTC().Format(time.RFC1123))
	field("Valid-Until", validUntil(r.date, r.settings[settingValid]))
	field("Acquire-By-Hash", "yes")
	field("Architectures", strings.Join(r.architectures, " "))
	field("Components", strings.Join(r.components, " "))
	field("Description", r.settings[settingDescription])
	if r.settings[settingManual] == "yes" {
		field("NotAutomatic", "yes")
		if r.settings[settingUpgrades] == "yes" {
			field("ButAutomaticUpgrades", "yes")
		}
	}
	b.WriteString("SHA256:\n")
	for _, f := range r.files {
		fmt.Fprintf(&b, " %s %d %s\n", f.Sha256, f.Size, f.Path)
	}
	return b.Bytes()
}

func bytesOf(b []byte) io.WriterTo { return bytes.NewReader(b) }
