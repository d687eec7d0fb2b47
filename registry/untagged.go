package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
	"entrepot/ent/tag"
)

// Of types whose tags are what rules count, a version stays while something
// leads to it: a tag, an index that has it as a part, what it is about, or
// that somebody pushed or pulled it by its digest not long ago. All else is
// untagged, and goes by a rule of its own.

// untagging asks which versions of a package nothing leads to.
type untagging struct {
	// gone are tags that are about to go, by number, and released the versions
	// that lose one.
	gone, released map[int64]bool
	// keep is how long a version that nothing leads to stays after it was pushed
	// or pulled. Zero keeps all but those that were released, with what only they
	// lead to.
	keep time.Duration
	at   time.Time
}

// untagged returns the versions that nothing leads to, each before those that
// it needs.
func (r unitReader) untagged(ctx context.Context, p *ent.Pkg, u untagging) ([]unitRow, error) {
	g, err := r.reachability(ctx, p, u.gone)
	if err != nil {
		return nil, fmt.Errorf("find untagged versions: %w", err)
	}
	released := map[int64]bool{}
	if u.keep == 0 {
		g.follow(released, func(id int64) bool { return u.released[id] })
	}
	reached := map[int64]bool{}
	g.follow(reached, func(id int64) bool {
		v := g.versions[id]
		switch {
		case g.tagged[id], v.Pinned:
			return true
		case u.keep == 0:
			return !released[id]
		case g.refers[id]:
			return false
		}
		recent := func(t time.Time) bool { return u.at.Sub(t) < u.keep }
		return !u.released[id] && recent(v.CreatedAt) || v.DownloadedAt != nil && recent(*v.DownloadedAt)
	})
	return g.parentsFirst(func(id int64) bool { return !reached[id] }), nil
}

// versionGraph is what leads where within a package.
type versionGraph struct {
	order    []int64
	versions map[int64]*ent.PackageVersion
	// tagged are the versions that tags name, other than those of referrers.
	tagged map[int64]bool
	// refers are the versions that are about another one that is there.
	refers map[int64]bool
	// parts lead from a version to those that it needs, about to those that are
	// about it.
	parts, about map[int64][]int64
}

func (r unitReader) reachability(ctx context.Context, p *ent.Pkg, gone map[int64]bool) (*versionGraph, error) {
	g := &versionGraph{
		versions: map[int64]*ent.PackageVersion{}, tagged: map[int64]bool{}, refers: map[int64]bool{},
		parts: map[int64][]int64{}, about: map[int64][]int64{},
	}
	named := map[string]int64{}
	err := r.eachVersion(ctx, p, func(v *ent.PackageVersion) {
		g.order = append(g.order, v.ID)
		g.versions[v.ID] = v
		named[v.NormalizedVersion] = v.ID
	})
	if err != nil {
		return nil, err
	}
	refer := func(id, subject int64) {
		g.refers[id] = true
		g.about[subject] = append(g.about[subject], id)
	}
	names := slices.Clone(r.space.Type.References)
	if r.space.Type.Referrals != nil {
		names = append(names, r.space.Type.Referrals.Property)
	}
	if err := links(ctx, r.client, p, names, func(name, value string, id int64) {
		to, there := named[value]
		switch {
		case !there || g.versions[id] == nil:
		case r.space.Type.Referrals != nil && name == r.space.Type.Referrals.Property:
			refer(id, to)
		default:
			g.parts[id] = append(g.parts[id], to)
		}
	}); err != nil {
		return nil, err
	}
	tags, err := r.client.Tag.Query().Where(tag.PackageID(p.ID)).
		Select(tag.FieldID, tag.FieldName, tag.FieldVersionID).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tags {
		if subject := r.space.Type.subject(t.Name); subject == "" {
			g.tagged[t.VersionID] = g.tagged[t.VersionID] || !gone[t.ID]
		} else if to, there := named[subject]; there {
			refer(t.VersionID, to)
		}
	}
	return g, nil
}

// links calls f for the properties of those names, by which published versions
// of a package name others, or files.
func links(ctx context.Context, client *ent.Client, p *ent.Pkg, names []string, f func(name, value string, id int64)) error {
	ofThese := in(property.FieldRefID, packageversion.Table, packageversion.FieldID,
		packageversion.PackageID(p.ID), predicate.PackageVersion(published))
	const page = 5000
	for last := int64(0); len(names) > 0; {
		rows, err := client.Property.Query().
			Where(property.IDGT(last), property.RefTypeEQ(property.RefTypeVersion), property.NameIn(names...), ofThese).
			Order(ent.Asc(property.FieldID)).
			Limit(page).
			All(ctx)
		if err != nil {
			return err
		}
		for _, l := range rows {
			last = l.ID
			f(l.Name, l.Value, l.RefID)
		}
		if len(rows) < page {
			return nil
		}
	}
	return nil
}

// follow adds what can be reached from the versions that begin.
func (g *versionGraph) follow(reached map[int64]bool, begins func(id int64) bool) {
	var next []int64
	visit := func(id int64) {
		if !reached[id] {
			reached[id] = true
			next = append(next, id)
		}
	}
	for _, id := range g.order {
		if begins(id) {
			visit(id)
		}
	}
	for len(next) > 0 {
		id := next[len(next)-1]
		next = next[:len(next)-1]
		for _, to := range g.parts[id] {
			visit(to)
		}
		for _, to := range g.about[id] {
			visit(to)
		}
	}
}

// parentsFirst lists the versions that are wanted, each before its parts: what
// another still needs cannot be deleted.
func (g *versionGraph) parentsFirst(wanted func(id int64) bool) []unitRow {
	needers := map[int64]int{}
	for id, parts := range g.parts {
		if !wanted(id) {
			continue
		}
		for _, to := range parts {
			needers[to]++
		}
	}
	var ready []int64
	for _, id := range g.order {
		if wanted(id) && needers[id] == 0 {
			ready = append(ready, id)
		}
	}
	var rows []unitRow
	for len(ready) > 0 {
		id := ready[0]
		ready = ready[1:]
		rows = append(rows, unitRow{versionID: id, normalizedVersion: g.versions[id].NormalizedVersion})
		for _, to := range g.parts[id] {
			if needers[to]--; needers[to] == 0 && wanted(to) {
				ready = append(ready, to)
			}
		}
	}
	return rows
}
