// Package retention decides which versions go by an owner's rules and which
// stay. It holds pure functions over plain values: no database, so that the
// preview, the job and the answer to "why is this kept?" are one decision.
//
// A version goes when a rule wants it gone and no rule of the owner keeps it:
// keep wins over remove, whatever the order of the rules.
package retention

import (
	"fmt"
	"slices"

	"entrepot/ent/schema"
)

// Rule is a rule that is ready to be asked. The zero value is of no use; see
// Compile.
type Rule struct {
	// ID and Name are the caller's.
	ID   int64
	Name string
	// Removes tells whether the rule may remove, or only keep: one that is not
	// due, or switched off.
	Removes bool

	spec                   schema.CleanupSpec
	include, exclude       patterns
	keepVersions, keepTags patterns
	removeVersions         patterns
}

// FieldError is a mistake in a rule.
type FieldError struct {
	// Field is the name of the part that is wrong, as the API spells it:
	// "keep.versions".
	Field string
	// Message is a sentence without a final stop.
	Message string
}

// Error returns the message.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// The most that a rule can say.
const (
	// maxPatterns bounds the patterns of one list, maxPattern the bytes of one.
	maxPatterns = 100
	maxPattern  = 500
	// maxNumber bounds days and counts.
	maxNumber = 1_000_000
)

// Compile checks a rule and makes it ready. known tells whether there is a
// package type of the name. The error is a *FieldError: for patterns that
// cannot be read, numbers out of bounds, unknown types, and a rule that says
// nothing of what goes, or would take everything.
func Compile(spec schema.CleanupSpec, known func(typ string) bool) (*Rule, error) {
	r := &Rule{spec: spec, Removes: true}
	for _, typ := range spec.Select.Types {
		if !known(typ) {
			return nil, &FieldError{"select.types", fmt.Sprintf("there is no package type %q", typ)}
		}
	}
	if p := spec.Select.Prereleases; p != "" && p != schema.CleanupOnly && p != schema.CleanupNever {
		return nil, &FieldError{"select.prereleases", fmt.Sprintf("want %q, %q or nothing", schema.CleanupOnly, schema.CleanupNever)}
	}
	if a := spec.Action; a != "" && a != schema.CleanupYank && a != schema.CleanupDelete {
		return nil, &FieldError{"action", fmt.Sprintf("want %q, %q or nothing", schema.CleanupDelete, schema.CleanupYank)}
	}
	for _, list := range []struct {
		field string
		texts []string
		to    *patterns
	}{
		{"select.include", spec.Select.Include, &r.include},
		{"select.exclude", spec.Select.Exclude, &r.exclude},
		{"keep.versions", spec.Keep.Versions, &r.keepVersions},
		{"keep.tags", spec.Keep.Tags, &r.keepTags},
		{"remove.versions", spec.Remove.Versions, &r.removeVersions},
	} {
		var err error
		if *list.to, err = compilePatterns(list.texts, spec.CaseSensitive); err != nil {
			return nil, &FieldError{list.field, err.Error()}
		}
	}
	if err := checkNumbers(spec); err != nil {
		return nil, err
	}
	return r, checkRemoves(spec)
}

func checkNumbers(spec schema.CleanupSpec) error {
	k, m := spec.Keep, spec.Remove
	for _, n := range []struct {
		field string
		n     int64
	}{
		{"keep.newest", int64(k.Newest)}, {"keep.newestPublished", int64(k.NewestPublished)},
		{"keep.newestPerMajor", int64(k.NewestPerMajor)}, {"keep.newestPerMinor", int64(k.NewestPerMinor)},
		{"keep.publishedWithin", int64(k.PublishedWithin)}, {"keep.downloadedWithin", int64(k.DownloadedWithin)},
		{"keep.downloads", k.Downloads},
		{"remove.olderThan", int64(m.OlderThan)}, {"remove.notDownloadedFor", int64(m.NotDownloadedFor)}, {"remove.yankedFor", int64(m.YankedFor)},
	} {
		if n.n < 0 || n.n > maxNumber {
			return &FieldError{n.field, fmt.Sprintf("want a number from 0 to %d", maxNumber)}
		}
	}
	return nil
}

// checkRemoves refuses rules that say nothing, and those that would take all.
func checkRemoves(spec schema.CleanupSpec) error {
	m := spec.Remove
	conditions := m.OlderThan > 0 || m.NotDownloadedFor > 0 || m.YankedFor > 0 || len(m.Versions) > 0 || m.Prereleases
	switch {
	case m.Everything && conditions:
		return &FieldError{"remove.everything", "either everything that is not kept goes, or what the conditions say"}
	case m.Everything && !keepsSomething(spec.Keep):
		return &FieldError{"keep", "say what is kept before everything else goes"}
	case !m.Everything && !conditions:
		return &FieldError{"remove", "say what goes"}
	}
	return nil
}

func keepsSomething(k schema.CleanupKeep) bool {
	return k.Newest > 0 || k.NewestPublished > 0 || k.NewestPerMajor > 0 || k.NewestPerMinor > 0 ||
		len(k.Versions) > 0 || len(k.Tags) > 0 || k.PublishedWithin > 0 || k.DownloadedWithin > 0 || k.Downloads > 0
}

// yanks tells whether the rule yanks versions of the package.
func (r *Rule) yanks(p Package) bool {
	switch r.spec.Action {
	case schema.CleanupYank:
		return p.Yanks
	case schema.CleanupDelete:
		return false
	}
	return p.Yanks && p.PrefersYank
}

// Selects tells whether the rule is about a package. The name may be that of
// people or that of clients: either matches.
func (r *Rule) Selects(typ string, names ...string) bool {
	if len(r.spec.Select.Types) > 0 && !slices.Contains(r.spec.Select.Types, typ) {
		return false
	}
	return (len(r.include) == 0 || r.include.match(names...)) && !r.exclude.match(names...)
}
