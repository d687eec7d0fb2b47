package rpm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"entrepot/registry"
)

// The bounds of advisories.
const (
	maxErrataBody = 4 << 20
	maxAdvisories = 1000 // of a version in a group
	maxID         = 200
)

// noErrata is the list of advisories of a version that has none any more.
const noErrata = "[]"

// advisory says what a new version of packages mends, as it is uploaded and
// kept. The same one may be told of several versions: what updateinfo.xml then
// says of it is all of that together.
type advisory struct {
	ID          text          `json:"id"`
	From        text          `json:"from,omitempty"`
	Status      text          `json:"status,omitempty"`
	Type        text          `json:"type,omitempty"` // security, bugfix, enhancement, newpackage
	Version     text          `json:"version,omitempty"`
	Title       text          `json:"title,omitempty"`
	Severity    text          `json:"severity,omitempty"`
	Description text          `json:"description,omitempty"`
	Issued      *date         `json:"issued,omitempty"`
	Updated     *date         `json:"updated,omitempty"`
	References  []*reference  `json:"references,omitempty"`
	Collections []*collection `json:"pkg_list,omitempty"`
}

// reference is a page about what is mended: a CVE, a bug.
type reference struct {
	Href  text `json:"href"`
	ID    text `json:"id,omitempty"`
	Title text `json:"title,omitempty"`
	Type  text `json:"type,omitempty"`
}

// collection is packages of an advisory, by product.
type collection struct {
	Short    text             `json:"short,omitempty"`
	Name     text             `json:"name,omitempty"`
	Packages []*errataPackage `json:"packages"`
}

// errataPackage is a package that mends it.
type errataPackage struct {
	Name    text `json:"name"`
	Epoch   text `json:"epoch,omitempty"`
	Version text `json:"version"`
	Release text `json:"release"`
	Arch    text `json:"arch"`
	Src     text `json:"src,omitempty"`
	File    text `json:"filename,omitempty"`
}

// text is a JSON string, or a number taken for one; null is "".
type text string

// UnmarshalJSON reads a text.
func (t *text) UnmarshalJSON(raw []byte) error {
	switch {
	case bytes.Equal(raw, []byte("null")):
		return nil
	case raw[0] == '"':
		return json.Unmarshal(raw, (*string)(t))
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		*t = text(raw)
		return nil
	}
	return fmt.Errorf("want a text, got %.40s", raw)
}

// dateForm is how clients read dates.
const dateForm = "2006-01-02 15:04:05"

// date is an instant, in JSON either the text itself or an object with it.
type date struct {
	Date text `json:"date"`
}

// UnmarshalJSON reads a date.
func (d *date) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		type plain date
		return json.Unmarshal(raw, (*plain)(d))
	}
	return d.Date.UnmarshalJSON(raw)
}

func dateOf(at time.Time) *date { return &date{text(at.UTC().Format(dateForm))} }

// parseErrata reads uploaded advisories. now is when they are issued that do
// not say. Error: Invalid.
func parseErrata(raw []byte, now time.Time) ([]*advisory, error) {
	var all []*advisory
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, registry.Errorf(registry.Invalid, "the body is not an array of advisories: %v", err)
	}
	if all == nil {
		return nil, registry.Errorf(registry.Invalid, "the body is not an array of advisories")
	}
	all = present(all)
	for _, a := range all {
		if id := strings.TrimSpace(string(a.ID)); id == "" || len(id) > maxID || strings.ContainsAny(id, "/\x00\n\r") {
			return nil, registry.FieldErrorf("id", "id: an advisory needs one, of at most %d bytes and without slashes", maxID)
		}
		if a.Issued == nil || a.Issued.Date == "" {
			a.Issued = dateOf(now)
		}
		a.Updated = dateOf(now)
		a.References = present(a.References)
		a.Collections = present(a.Collections)
		for _, c := range a.Collections {
			c.Packages = present(c.Packages)
			for _, p := range c.Packages {
				if p.Name == "" || p.Version == "" {
					return nil, registry.FieldErrorf("pkg_list", "pkg_list: a package of %.80q lacks its name or version", a.ID)
				}
				if p.Epoch == "" {
					p.Epoch = "0"
				}
			}
		}
	}
	return all, nil
}

// present are the elements that are not null.
func present[T any](list []*T) []*T {
	return slices.DeleteFunc(list, func(element *T) bool { return element == nil })
}

// mergeErrata adds advisories to those of before. One of the same id becomes
// one with it.
func mergeErrata(before, added []*advisory) []*advisory {
	byID := make(map[text]*advisory, len(before))
	merged := make([]*advisory, 0, len(before)+len(added))
	for _, a := range slices.Concat(before, added) {
		if old := byID[a.ID]; old != nil {
			old.merge(a)
			continue
		}
		first := *a
		first.References, first.Collections = nil, nil
		first.gather(a)
		byID[a.ID] = &first
		merged = append(merged, &first)
	}
	return merged
}

// merge takes over what another telling of the same advisory says. Of two
// texts that of the later stands.
func (a *advisory) merge(b *advisory) {
	newer := b.updated() >= a.updated()
	for _, t := range []struct{ to, from *text }{
		{&a.From, &b.From}, {&a.Status, &b.Status}, {&a.Type, &b.Type}, {&a.Version, &b.Version},
		{&a.Title, &b.Title}, {&a.Severity, &b.Severity}, {&a.Description, &b.Description},
	} {
		if *t.to == "" || newer && *t.from != "" {
			*t.to = *t.from
		}
	}
	if newer {
		a.Updated = b.Updated
	}
	if b.Issued != nil && (a.Issued == nil || b.Issued.Date < a.Issued.Date) {
		a.Issued = b.Issued
	}
	a.gather(b)
}

func (a *advisory) updated() text {
	if a.Updated == nil {
		return ""
	}
	return a.Updated.Date
}

// gather adds references and packages that are not there yet.
func (a *advisory) gather(b *advisory) {
	for _, r := range b.References {
		if !slices.ContainsFunc(a.References, func(have *reference) bool { return *have == *r }) {
			a.References = append(a.References, r)
		}
	}
	for _, c := range b.Collections {
		i := slices.IndexFunc(a.Collections, func(have *collection) bool { return have.Short == c.Short && have.Name == c.Name })
		if i < 0 {
			i = len(a.Collections)
			a.Collections = append(a.Collections, &collection{Short: c.Short, Name: c.Name})
		}
		have := a.Collections[i]
		seen := make(map[errataPackage]bool, len(have.Packages))
		for _, p := range have.Packages {
			seen[*p] = true
		}
		for _, p := range c.Packages {
			if !seen[*p] {
				seen[*p] = true
				have.Packages = append(have.Packages, p)
			}
		}
	}
}

// readErrata reads advisories as they are kept.
func readErrata(fragment []byte) ([]*advisory, error) {
	var all []*advisory
	if err := json.Unmarshal(fragment, &all); err != nil {
		return nil, fmt.Errorf("read advisories: %w", err)
	}
	return all, nil
}

// writeErrata is advisories as they are kept: on one line.
func writeErrata(all []*advisory) ([]byte, error) {
	if len(all) == 0 {
		return []byte(noErrata), nil
	}
	return json.Marshal(all)
}
