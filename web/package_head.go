package web

import (
	"net/http"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// packageHeadOf is the head of a page of a package that shows the version. current is the tab the page is, as the
// parameter "tab" names it, or one of the pages beside them.
func packageHeadOf(t route.Target, p queries.PackageHead, version *queries.VersionHead, current string) packageHead {
	h := packageHead{
		Target:      t,
		Description: p.Summary,
		Visibility:  string(p.EffectiveVisibility),
		Versions:    int64(p.VersionCount),
		CanWrite:    p.ViewerCan.Write,
		CanDelete:   p.ViewerCan.Delete,
		CanManage:   p.ViewerCan.Manage,
	}
	if p.Latest != nil {
		h.Latest = versionLabel(p.Latest.Version, tagNames(p.Latest), "")
		h.IsLatest = version != nil && version.Version == p.Latest.Version
	}
	if version != nil {
		h.Version = versionLabel(version.Version, tagNames(version), t.Version)
		h.Published = version.CreatedAt
		h.Deprecated, h.Yanked, h.Reason = version.Deprecated, version.Yanked, version.StatusReason
		if p.PackageType != nil && p.PackageType.Yanks && h.CanWrite {
			h.YankPath = route.OfVersion(t.Owner, t.Type, t.Name, version.Version).As(route.YankVersion).Path()
		}
		if version.Creator != nil {
			h.Publisher = version.Creator.Login
		}
	}
	h.Tabs = packageTabs(t, p, version, current)
	return h
}

// Tabs that are pages of their own.
const (
	tabVersions = "/versions"
	tabSettings = "/settings"
)

// packageTabs are the tabs of what the version has: a readme, tags, dependencies, files, and the tables only its type
// knows. Every page of a package has the same ones.
func packageTabs(t route.Target, p queries.PackageHead, version *queries.VersionHead, current string) []ui.Tab {
	base := t
	if t.Page != route.Version {
		base = t.As(route.Package)
	}
	var tabs []ui.Tab
	add := func(name, label string, count int64) {
		tabs = append(tabs, ui.Tab{Label: label, Href: base.With("tab", name), Count: count, Current: current == name})
	}
	if version != nil {
		if version.Readme != nil {
			add(tabReadme, "Readme", 0)
		}
		if p.Tags.TotalCount > 0 {
			add(tabTags, "Tags", int64(p.Tags.TotalCount))
		}
		if p.MoveCount.TotalCount > 0 {
			add(tabHistory, "History", 0)
		}
		for _, fact := range version.Facts {
			if len(fact.Columns) > 0 {
				add(fact.Name, fact.Title, 0)
			}
		}
		if n := version.ReferrerCount.TotalCount; n > 0 {
			add(tabReferrers, "Referrers", int64(n))
		}
		if n := len(version.Dependencies); n > 0 {
			add(tabDependencies, "Dependencies", int64(n))
		}
		if version.FileCount > 0 {
			add(tabFiles, "Files", int64(version.FileCount))
		}
	}
	return append(tabs, ui.Tab{
		Label: "Versions", Href: t.As(route.Versions).Path(), Count: int64(p.VersionCount), Current: current == tabVersions,
	})
}

// firstTab is what the page of a package begins with when the address names no tab.
func firstTab(p queries.PackageHead, version *queries.VersionHead) string {
	table := ""
	for _, fact := range version.Facts {
		if table == "" && len(fact.Columns) > 0 {
			table = fact.Name
		}
	}
	switch {
	case version.Readme != nil:
		return tabReadme
	case table != "" && p.Tags.TotalCount > 0:
		return tabTags // an image: what people look for is a tag
	case version.FileCount > 0 && table == "":
		return tabFiles
	case table != "":
		return table
	}
	return tabReadme
}

func tagNames(v *queries.VersionHead) []string {
	var names []string
	for _, edge := range v.Tags.Edges {
		names = append(names, edge.Node.Name)
	}
	return names
}

// canonicalPackage sends a request whose address writes owner or name in another case to the right one. It reports
// whether it did.
func canonicalPackage(w http.ResponseWriter, r *http.Request, t route.Target, p queries.PackageHead) bool {
	if t.Owner == p.Owner.Name && t.Name == p.Name && t.Type == p.Type {
		return false
	}
	t.Owner, t.Name, t.Type = p.Owner.Name, p.Name, p.Type
	redirect(w, withQuery(t.Path(), r.URL.RawQuery), http.StatusMovedPermanently)
	return true
}
