package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/pkg"
	"entrepot/ent/schema"
	"entrepot/registry/retention"
)

// CleanupPlan is what rules would do now.
type CleanupPlan struct {
	// Removed is how many versions, tags or files would go, those included that
	// would be yanked; Held how many of a package would stay because they are too
	// many at once.
	Removed, Held int
	// Bytes is what the owner would get back.
	Bytes int64
	// Items are what would go, and what a rule would remove and another keeps;
	// as many as were asked for.
	Items []CleanupItem
}

// CleanupItem is what would become of one version, tag or file.
type CleanupItem struct {
	Package *ent.Pkg
	// Version is the version or the tag.
	Version string
	// File is set where files are what rules count.
	File string
	// Remove tells that it would go, Yank that it would only be yanked, Held
	// that it would go if that were not too much at once.
	Remove, Yank, Held bool
	Published          time.Time
	Reasons            []string
}

// cleaning is one look at an owner's packages by its rules.
type cleaning struct {
	*Registry
	owner *ent.Owner
	rules []*retention.Rule
	// keepUntagged is for how long versions stay that nothing leads to.
	keepUntagged time.Duration
	// confirmed lets more go at once than a slip of the pen should take.
	confirmed bool
	at        time.Time
}

const (
	// cleanupShare and cleanupCount are how much of a package goes at once
	// without being asked again, whichever is more.
	cleanupShare = 0.2
	cleanupCount = 1000
	// defaultKeepUntagged is schema.OwnerSettings.CleanupUntaggedDays unless set.
	defaultKeepUntagged = 7
)

// cleaning gets an owner's rules ready. removes tells which of them may remove;
// draft, if not nil, takes the place of the one with its id, or comes beside.
func (r *Registry) cleaning(ctx context.Context, o *ent.Owner, draft *ent.CleanupRule, removes func(*ent.CleanupRule) bool) (*cleaning, error) {
	if err := r.FlushDownloads(ctx); err != nil {
		return nil, err
	}
	stored, err := r.cleanupRules(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &cleaning{Registry: r, owner: o, at: now(), keepUntagged: keepUntagged(o.Settings)}
	if draft != nil {
		kept := []*ent.CleanupRule{draft}
		for _, rule := range stored {
			if rule.ID != draft.ID {
				kept = append(kept, rule)
			}
		}
		stored = kept
	}
	for _, rule := range stored {
		if !rule.Enabled {
			continue
		}
		ready, err := r.compileRule(rule.Spec)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", rule.Name, err)
		}
		ready.ID, ready.Name, ready.Removes = rule.ID, rule.Name, removes(rule)
		c.rules = append(c.rules, ready)
	}
	return c, nil
}

// KeepUntaggedDays is for how many days versions stay that nothing leads to; 0
// is for good.
func KeepUntaggedDays(s schema.OwnerSettings) int {
	if s.CleanupUntaggedDays != nil {
		return *s.CleanupUntaggedDays
	}
	return defaultKeepUntagged
}

func keepUntagged(s schema.OwnerSettings) time.Duration {
	return time.Duration(KeepUntaggedDays(s)) * 24 * time.Hour
}

// PreviewCleanup tells what the owner's enabled rules would do now; with a
// draft, which need not be saved, what that one would do beside what the others
// keep. At most limit items are told. The viewer must administer the owner.
func (r *Registry) PreviewCleanup(ctx context.Context, ownerName string, draftID *int64, draft *CleanupRule, limit int) (*CleanupPlan, error) {
	o, _, err := r.OwnerRole(ctx, ownerName, access.Administer)
	if err != nil {
		return nil, err
	}
	ctx = access.SystemContext(ctx)
	removes := func(*ent.CleanupRule) bool { return true }
	var row *ent.CleanupRule
	if draft != nil {
		if _, err := r.compileRule(draft.Spec); err != nil {
			return nil, err
		}
		row = &ent.CleanupRule{Name: draft.Name, Enabled: true, Spec: draft.Spec}
		if draftID != nil {
			row.ID = *draftID
		}
		removes = func(rule *ent.CleanupRule) bool { return rule == row }
	}
	c, err := r.cleaning(ctx, o, row, removes)
	if err != nil {
		return nil, err
	}
	plan := &CleanupPlan{}
	yield := newYield(r, o)
	err = c.eachPackage(ctx, func(s *Space, p *ent.Pkg) error {
		of, err := c.plan(ctx, unitReader{r.db.Client, s}, p)
		if err != nil || of == nil {
			return err
		}
		plan.add(of, limit)
		return yield.add(ctx, r.db.Client, of)
	})
	if err != nil {
		return nil, err
	}
	plan.Bytes, err = yield.bytes(ctx, false)
	return plan, err
}

// add counts what becomes of a package in.
func (plan *CleanupPlan) add(of *packagePlan, limit int) {
	for i, d := range of.decisions {
		if len(d.Reasons) == 0 {
			continue
		}
		held := d.Remove && of.held
		switch {
		case held:
			plan.Held++
		case d.Remove:
			plan.Removed++
		}
		if len(plan.Items) < limit {
			plan.Items = append(plan.Items, of.item(i, d.Remove && !held, held))
		}
	}
	for _, row := range of.untagged {
		plan.Removed++
		if len(plan.Items) < limit {
			plan.Items = append(plan.Items, CleanupItem{Package: of.pkg, Version: row.normalizedVersion, Remove: true, Reasons: []string{untaggedReason}})
		}
	}
}

const untaggedReason = "no tag leads to it"

// packagePlan is what becomes of one package.
type packagePlan struct {
	*cleanable
	counts    Counted
	decisions []retention.Decision
	// held tells that too much of it would go.
	held bool
	// untagged are the versions that nothing leads to once the tags are gone.
	untagged []unitRow
}

func (of *packagePlan) item(i int, remove, held bool) CleanupItem {
	u, d := of.units[i], of.decisions[i]
	item := CleanupItem{Package: of.pkg, Version: u.Version, Remove: remove, Yank: remove && d.Yank, Held: held, Published: u.Published}
	if of.counts == CountFiles {
		item.File = of.rows[i].name
	}
	for _, reason := range d.Reasons {
		item.Reasons = append(item.Reasons, reason.String())
	}
	return item
}

// going are the units that go, without those that are held.
func (of *packagePlan) going(yank bool) []int {
	var going []int
	for i, d := range of.decisions {
		if d.Remove && d.Yank == yank && !of.held {
			going = append(going, i)
		}
	}
	return going
}

// plan decides on one package; nil when nothing is to be said of it.
func (c *cleaning) plan(ctx context.Context, r unitReader, p *ent.Pkg) (*packagePlan, error) {
	t := r.space.Type
	about := retention.Package{
		Type: t.Name, Name: p.Name, NormalizedName: p.NormalizedName,
		// A mark is on a whole version.
		Yanks: t.Yanks && t.Counts == CountVersions, PrefersYank: t.PrefersYank,
	}
	concerned := false
	for _, rule := range c.rules {
		concerned = concerned || rule.Removes && rule.Selects(t.Name, p.Name, p.NormalizedName)
	}
	sweeps := t.Counts == CountTags && c.keepUntagged > 0
	if !concerned && !sweeps {
		return nil, nil
	}
	units, err := r.read(ctx, p)
	if err != nil {
		return nil, err
	}
	of := &packagePlan{cleanable: units, counts: t.Counts, decisions: retention.Plan(c.rules, about, units.units, c.at)}
	n := 0
	for _, d := range of.decisions {
		if d.Remove && !d.Yank {
			n++
		}
	}
	of.held = !c.confirmed && n > max(cleanupCount, int(cleanupShare*float64(len(units.units))))
	if t.Counts == CountTags {
		gone, released := map[int64]bool{}, map[int64]bool{}
		for _, i := range of.going(false) {
			gone[units.units[i].ID] = true
			released[units.rows[i].versionID] = true
		}
		of.untagged, err = r.untagged(ctx, p, untagging{gone: gone, released: released, keep: c.keepUntagged, at: c.at})
		if err != nil {
			return nil, err
		}
	}
	return of, nil
}

// removing are the names of the rules that may remove.
func (c *cleaning) removing() []string {
	var names []string
	for _, rule := range c.rules {
		if rule.Removes {
			names = append(names, rule.Name)
		}
	}
	return names
}

// eachPackage calls f for the owner's packages that have versions, of the
// types there are.
func (c *cleaning) eachPackage(ctx context.Context, f func(*Space, *ent.Pkg) error) error {
	viewer := access.SystemViewer()
	viewer.Agent = "cleanup: " + strings.Join(c.removing(), ", ")
	const page = 500
	for last := int64(0); ; {
		packages, err := c.db.Pkg.Query().
			Where(pkg.OwnerID(c.owner.ID), pkg.IDGT(last), pkg.VersionCountGT(0)).
			Order(ent.Asc(pkg.FieldID)).
			Limit(page).
			All(ctx)
		if err != nil {
			return fmt.Errorf("list packages: %w", err)
		}
		for _, p := range packages {
			last = p.ID
			t, known := c.types[p.Type]
			if !known {
				continue
			}
			if err := f(&Space{Owner: c.owner, Type: t, Viewer: viewer, reg: c.Registry}, p); err != nil {
				return err
			}
		}
		if len(packages) < page {
			return nil
		}
	}
}
