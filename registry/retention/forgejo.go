package retention

import (
	"strings"

	"entrepot/ent/schema"
)

// ForgejoRule is a cleanup rule as Gitea and Forgejo have it, one for each
// owner and package type.
type ForgejoRule struct {
	Type string
	// KeepCount is how many of the newest versions of each package stay.
	KeepCount int
	// KeepPattern and RemovePattern are regular expressions over versions, or
	// over "package/version" with MatchFullName; empty ones match nothing and
	// everything.
	KeepPattern, RemovePattern string
	// RemoveDays is from how many days on versions may go.
	RemoveDays    int
	MatchFullName bool
}

// Spec is a rule that does the same. What those rules do without being asked
// is made explicit: they count by the time of publishing, take the last version
// of a package, and delete what other rules would rather yank.
func (f ForgejoRule) Spec() schema.CleanupSpec {
	spec := schema.CleanupSpec{
		Select:           schema.CleanupSelect{Types: []string{f.Type}},
		Keep:             schema.CleanupKeep{NewestPublished: f.KeepCount},
		Remove:           schema.CleanupRemove{OlderThan: f.RemoveDays},
		MatchFullName:    f.MatchFullName,
		TakesLastVersion: true,
		Action:           schema.CleanupDelete,
	}
	if f.KeepPattern != "" {
		spec.Keep.Versions = []string{anchored(f.KeepPattern)}
	}
	if f.RemovePattern != "" {
		spec.Remove.Versions = []string{anchored(f.RemovePattern)}
	}
	spec.Remove.Everything = f.RemoveDays == 0 && f.RemovePattern == ""
	return spec
}

// anchored is a pattern that matches what the expression matches there, where
// it is put between \A and \z without a group: of alternatives only the first
// is held at the beginning, and only the last at the end.
func anchored(expression string) string {
	if !strings.Contains(expression, "|") {
		return regexpPrefix + expression
	}
	return regexpPrefix + `(?s:.*)(?:\A` + expression + `\z)(?s:.*)`
}
