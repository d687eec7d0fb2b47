package retention

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"entrepot/ent/schema"
)

// Unit is what rules count and remove: a version; of images a tag; of systems'
// packages a file.
type Unit struct {
	// ID is the caller's.
	ID int64
	// Version is what patterns see: the version, or the tag.
	Version string
	// Group sets units apart that are counted apart: the file's distribution
	// and architecture. The units of most types have none.
	Group string
	// SortKey orders the units of a package by version, in the order of bytes.
	SortKey    string
	Prerelease bool
	// Published is when the version came, or when the tag last moved.
	Published time.Time
	// Downloaded is the instant of the last download; zero when there was none.
	Downloaded time.Time
	Downloads  int64
	Yanked     bool
	// StatusSince is since when it is yanked.
	StatusSince time.Time
	// Stays, unless empty, is why no rule may remove the unit: "it is pinned".
	Stays string
	// Tags name the version; of a tag it is its own name.
	Tags []string
}

// Package is what the units belong to.
type Package struct {
	Type string
	// Name and NormalizedName are what patterns of names see.
	Name, NormalizedName string
	// Yanks tells that versions of the type can be yanked, PrefersYank that
	// rules do so unless they say otherwise.
	Yanks, PrefersYank bool
}

// Decision is what becomes of a unit: nothing, or removed by deletion or, with
// Yank, by a mark. Reasons say why it goes, or why it stays
// though a rule would have it gone; a unit of which no rule wants anything has
// none.
type Decision struct {
	Remove bool
	// Yank tells that the unit is to be yanked rather than deleted.
	Yank    bool
	Reasons []Reason
}

// Reason is a rule's word, or that of a protection that holds for all rules.
type Reason struct {
	// Rule is the rule's name; empty for a protection.
	Rule string
	// Text is why, as the end of the sentence "It goes, because ..." or "It
	// stays, because ...".
	Text string
}

// String is the reason with its rule.
func (r Reason) String() string {
	if r.Rule == "" {
		return r.Text
	}
	return r.Rule + ": " + r.Text
}

// fresh is how long after its publication nothing is removed.
const fresh = time.Hour

// latestTag names what an install without a version gets.
const latestTag = "latest"

// Plan decides on the units of one package by all rules of its owner, those
// that are not due included: they keep. The decisions are in the order of the
// units. Its time follows the number of units times that of rules.
func Plan(rules []*Rule, p Package, units []Unit, at time.Time) []Decision {
	plan := plan{
		pkg: p, units: units, at: at, highest: highest(units),
		keeps: make([][]Reason, len(units)), removes: make([][]Reason, len(units)), yanks: make([][]Reason, len(units)),
	}
	for _, r := range rules {
		if r.Selects(p.Type, p.Name, p.NormalizedName) {
			plan.ask(r)
		}
	}
	return plan.decide()
}

type plan struct {
	pkg     Package
	units   []Unit
	at      time.Time
	highest map[int]bool
	// keeps, removes and yanks are what rules say of each unit.
	keeps, removes, yanks [][]Reason
}

// ask gathers what one rule says.
func (p *plan) ask(r *Rule) {
	var mine []int
	for i, u := range p.units {
		if r.spec.Select.Prereleases == "" || u.Prerelease == (r.spec.Select.Prereleases == schema.CleanupOnly) {
			mine = append(mine, i)
		}
	}
	kept := map[int]bool{}
	keep := func(i int, format string, args ...any) {
		kept[i] = true
		p.keeps[i] = append(p.keeps[i], Reason{r.Name, fmt.Sprintf(format, args...)})
	}
	p.keepNewest(r.spec.Keep, mine, keep)
	for _, i := range mine {
		p.keepOne(r, i, keep)
	}
	if !r.Removes {
		return
	}
	for _, i := range mine {
		why := p.removal(r, i, kept[i])
		if why == "" {
			continue
		}
		if reason := p.protected(r, i); reason != "" {
			p.keeps[i] = append(p.keeps[i], Reason{"", reason})
			continue
		}
		if r.yanks(p.pkg) {
			p.yanks[i] = append(p.yanks[i], Reason{r.Name, why})
		} else {
			p.removes[i] = append(p.removes[i], Reason{r.Name, why})
		}
	}
}

// keepNewest keeps by number.
func (p *plan) keepNewest(k schema.CleanupKeep, mine []int, keep func(i int, format string, args ...any)) {
	byVersion := func(a, b Unit) int {
		return cmp.Or(strings.Compare(b.SortKey, a.SortKey), b.Published.Compare(a.Published), cmp.Compare(b.ID, a.ID))
	}
	byTime := func(a, b Unit) int { return cmp.Or(b.Published.Compare(a.Published), cmp.Compare(b.ID, a.ID)) }
	none := func(Unit) string { return "" }
	for _, c := range []struct {
		n     int
		order func(a, b Unit) int
		line  func(Unit) string
		what  string
	}{
		{k.Newest, byVersion, none, "the newest %d by version"},
		{k.NewestPublished, byTime, none, "the %d published last"},
		{k.NewestPerMajor, byVersion, func(u Unit) string { return line(u.Version, 1) }, "the newest %d of each major line"},
		{k.NewestPerMinor, byVersion, func(u Unit) string { return line(u.Version, 2) }, "the newest %d of each minor line"},
	} {
		if c.n == 0 {
			continue
		}
		sorted := slices.Clone(mine)
		slices.SortFunc(sorted, func(a, b int) int { return c.order(p.units[a], p.units[b]) })
		seen := map[string]int{}
		for _, i := range sorted {
			key := p.units[i].Group + "\x00" + c.line(p.units[i])
			if seen[key]++; seen[key] <= c.n {
				keep(i, "it is among "+c.what, c.n)
			}
		}
	}
}

// keepOne keeps by what a unit is.
func (p *plan) keepOne(r *Rule, i int, keep func(i int, format string, args ...any)) {
	k, u := r.spec.Keep, p.units[i]
	if r.keepVersions.match(p.target(r, u)...) {
		keep(i, "its version matches a pattern")
	}
	for _, tag := range u.Tags {
		if r.keepTags.match(tag) {
			keep(i, "the tag %s names it", tag)
		}
	}
	if k.PublishedWithin > 0 && !p.longAgo(u.Published, k.PublishedWithin) {
		keep(i, "it was published within %d days", k.PublishedWithin)
	}
	if k.DownloadedWithin > 0 && !u.Downloaded.IsZero() && !p.longAgo(u.Downloaded, k.DownloadedWithin) {
		keep(i, "it was downloaded within %d days", k.DownloadedWithin)
	}
	if k.Downloads > 0 && u.Downloads >= k.Downloads {
		keep(i, "it was downloaded at least %d times", k.Downloads)
	}
}

// removal says why the rule wants a unit gone; "" when it does not.
func (p *plan) removal(r *Rule, i int, kept bool) string {
	m, u := r.spec.Remove, p.units[i]
	if m.Everything {
		if kept {
			return ""
		}
		return "nothing keeps it"
	}
	var why []string
	for _, c := range []struct {
		asked, holds bool
		text         string
	}{
		{m.OlderThan > 0, p.longAgo(u.Published, m.OlderThan), fmt.Sprintf("it is older than %d days", m.OlderThan)},
		// What was never downloaded has not been so since it was published.
		{m.NotDownloadedFor > 0, p.longAgo(later(u.Downloaded, u.Published), m.NotDownloadedFor), fmt.Sprintf("it was not downloaded for %d days", m.NotDownloadedFor)},
		{m.YankedFor > 0, u.Yanked && p.longAgo(u.StatusSince, m.YankedFor), fmt.Sprintf("it has been yanked for %d days", m.YankedFor)},
		{len(r.removeVersions) > 0, r.removeVersions.match(p.target(r, u)...), "its version matches a pattern"},
		{m.Prereleases, u.Prerelease, "it is a prerelease"},
	} {
		if !c.asked {
			continue
		}
		if !c.holds {
			return ""
		}
		why = append(why, c.text)
	}
	return strings.Join(why, " and ")
}

// protected says why no rule, or not this one, may remove a unit; "" when it
// may.
func (p *plan) protected(r *Rule, i int) string {
	u := p.units[i]
	switch {
	case u.Stays != "":
		return u.Stays
	case p.at.Sub(u.Published) < fresh:
		return "it was published within the last hour"
	case !r.spec.TakesLatestTag && slices.Contains(u.Tags, latestTag):
		return "it is what the tag latest names"
	case !r.spec.TakesLastVersion && p.highest[i]:
		return "it is the highest release of the package"
	}
	return ""
}

// decide weighs what the rules have said: keep wins, then delete, then yank.
func (p *plan) decide() []Decision {
	decisions := make([]Decision, len(p.units))
	for i := range p.units {
		switch {
		case len(p.keeps[i]) > 0:
			decisions[i].Reasons = p.keeps[i]
		case len(p.removes[i]) > 0:
			decisions[i] = Decision{Remove: true, Reasons: p.removes[i]}
		case len(p.yanks[i]) > 0 && !p.units[i].Yanked:
			decisions[i] = Decision{Remove: true, Yank: true, Reasons: p.yanks[i]}
		}
	}
	return decisions
}

// target is what version patterns see of a unit: the version, or with
// MatchFullName the package's names with it.
func (p *plan) target(r *Rule, u Unit) []string {
	if !r.spec.MatchFullName {
		return []string{u.Version}
	}
	return []string{p.pkg.Name + "/" + u.Version, p.pkg.NormalizedName + "/" + u.Version}
}

// longAgo tells whether the instant is at least so many days back. Days are of
// 24 hours; no calendar has a say.
func (p *plan) longAgo(t time.Time, days int) bool {
	return p.at.Sub(t) >= time.Duration(days)*24*time.Hour
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// highest finds the units with the greatest version that is neither a
// prerelease nor yanked; when there is none, of those with the greatest
// version at all.
func highest(units []Unit) map[int]bool {
	found := map[int]bool{}
	for _, fits := range []func(Unit) bool{
		func(u Unit) bool { return !u.Prerelease && !u.Yanked },
		func(Unit) bool { return true },
	} {
		top := ""
		for i, u := range units {
			if !fits(u) || u.SortKey < top {
				continue
			}
			if u.SortKey > top {
				top = u.SortKey
				clear(found)
			}
			found[i] = true
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}

var leadingNumbers = regexp.MustCompile(`^[vV]?([0-9]+)(?:\.([0-9]+))?`)

// line is the major (parts 1) or minor (parts 2) line that a version belongs
// to. Versions that begin with no number make up one line.
func line(version string, parts int) string {
	m := leadingNumbers.FindStringSubmatch(version)
	if m == nil {
		return ""
	}
	return strings.Join(m[1:parts+1], ".")
}
