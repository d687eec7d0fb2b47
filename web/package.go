package web

import (
	"net/http"
	"net/url"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// rowsPerTab is how many files, tags, moves or referrers a tab lists on a page.
const rowsPerTab = 50

// showPackage shows the latest version of a package, or the version the address names.
func (s *site) showPackage(w http.ResponseWriter, r *http.Request, t route.Target) error {
	tab := r.URL.Query().Get("tab")
	start := tab == ""
	latest := t.Page == route.Package
	withToken := r.URL.Query().Get("token") == "1"
	page := pagingOf(r, rowsPerTab)
	res, err := queries.Package(r.Context(), s.GraphQL, t.Owner, t.Type, t.Name, t.Version, latest,
		start, start || tab == tabFiles, start || tab == tabTags, tab == tabHistory, tab == tabReferrers, withToken, rowsPerTab,
		page.after, page.before, page.first, page.last)
	if err != nil {
		return err
	}
	p := res.Package
	if p == nil {
		return errNoPage
	}
	if canonicalPackage(w, r, t, p.PackageHead) {
		return nil
	}
	version := p.Version
	if latest {
		version = p.Latest
	}
	if version == nil {
		return errNoPage
	}
	here := *r.URL
	if start {
		tab = firstTab(p.PackageHead, &version.VersionHead)
		here.RawQuery = url.Values{"tab": {tab}}.Encode() // other pages are of this tab alone
	}
	v := packageView{
		Page:         s.page(r, t.Name, res.Viewer),
		Head:         packageHeadOf(t, p.PackageHead, &version.VersionHead, tab),
		Tab:          tab,
		Facts:        packageFactsOf(p.PackageHead, version),
		Instructions: instructionGroups(version.Instructions, p.ViewerCan.Write),
	}
	if p.EffectiveVisibility == queries.OwnerVisibilityPublic {
		v.Token = &tokenSwitch{On: withToken, Path: t.With("token", "1")}
		if withToken {
			v.Token.Path = t.Path()
		}
	}
	if res.Viewer != nil && p.PackageType != nil && p.PackageType.Copies {
		v.Head.CopyPath = route.OfVersion(t.Owner, t.Type, t.Name, version.Version).As(route.CopyVersion).Path()
	}
	v.Page.Description = p.Summary
	switch tab {
	case tabReadme:
		if version.Readme != nil {
			v.Readme = version.Readme.Html
		}
		if p.EffectiveVisibility == queries.OwnerVisibilityPublic {
			allowImages(w.Header())
		}
	case tabDependencies:
		v.Dependencies = dependencyGroups(version.Dependencies)
	case tabFiles:
		v.Files = fileItems(version.Files)
		if f := version.Files; f != nil {
			v.Pager = pager(&here, f.PageInfo, len(f.Edges), f.TotalCount, "file")
		}
	case tabTags:
		if tags := p.RecentTags; tags != nil {
			for _, edge := range tags.Edges {
				v.Tags = append(v.Tags, tagItem{edge.Node.Name, edge.Node.Version.Version, edge.Node.UpdatedAt})
			}
			v.Pager = pager(&here, tags.PageInfo, len(tags.Edges), tags.TotalCount, "tag")
		}
	case tabHistory:
		if moves := p.TagHistory; moves != nil {
			for _, edge := range moves.Edges {
				v.Moves = append(v.Moves, moveItemOf(edge.Node))
			}
			v.Pager = forwardPager(&here, moves.PageInfo, len(moves.Edges), moves.TotalCount, "move")
		}
	case tabReferrers:
		if referrers := version.Referrers; referrers != nil {
			for _, edge := range referrers.Edges {
				v.Referrers = append(v.Referrers, referrerItem{
					Kind: string(edge.Kind), Type: edge.ArtifactType, Version: edge.Node.Version,
					Size: edge.Node.Size, Published: edge.Node.CreatedAt,
				})
			}
			v.Pager = forwardPager(&here, referrers.PageInfo, len(referrers.Edges), referrers.TotalCount, "referrer")
		}
	default:
		if v.Table = tableOf(version.Facts, tab); v.Table == nil {
			return errNoPage
		}
	}
	return s.show(w, r, packagePage(v))
}

// maxSteps is how many steps an install box shows of one client: a version may have hundreds of files.
const maxSteps = 5

// instructionGroups are the boxes beside the content: how to install first, how to publish last and only for those who
// may, and between them what else the package type has to say.
func instructionGroups(all []queries.Instruction, canPublish bool) []instructionGroup {
	var groups []instructionGroup
	add := func(title string, items []ui.Instruction) {
		if len(items) == 0 {
			return
		}
		for i, in := range items {
			if more := len(in.Steps) - maxSteps; more > 0 {
				items[i].Steps = append(in.Steps[:maxSteps:maxSteps], ui.Step{Text: "And " + ui.Plural(int64(more), "more", "more") + "; see Files."})
			}
		}
		groups = append(groups, instructionGroup{title, items})
	}
	seen := map[string]bool{setUpTitle: true, publishTitle: true}
	for _, in := range all {
		if seen[in.Title] {
			continue
		}
		seen[in.Title] = true
		if len(groups) == 0 {
			add(in.Title, installInstructions(all, in.Title))
		} else {
			add(in.Title, instructionsOf(all, in.Title))
		}
	}
	if len(groups) == 0 {
		add(setUpTitle, instructionsOf(all, setUpTitle))
	}
	if canPublish {
		add(publishTitle, publishInstructions(all))
	}
	return groups
}

func packageFactsOf(p queries.PackageHead, v *queries.VersionDetails) packageFacts {
	f := packageFacts{
		License:    v.License,
		Homepage:   v.Homepage,
		Repository: v.RepositoryURL,
		Size:       v.Size,
		Files:      int64(v.FileCount),
		Downloads:  p.Downloads,
		OfVersion:  v.Downloads,
		Updated:    p.UpdatedAt,
		Tags:       tagNames(&v.VersionHead),
		Keywords:   v.Keywords,
		Authors:    v.Authors,
	}
	for _, fact := range v.Facts {
		if fact.Value != "" {
			f.Extra = append(f.Extra, factItem{fact.Title, fact.Value})
		}
	}
	return f
}

// dependencyGroups keeps the order in which kinds and packages were published.
func dependencyGroups(all []queries.VersionDetailsDependenciesDependency) []dependencyGroup {
	var groups []dependencyGroup
	index := map[string]int{}
	for _, d := range all {
		i, ok := index[d.Group]
		if !ok {
			i = len(groups)
			index[d.Group] = i
			groups = append(groups, dependencyGroup{Name: d.Group})
		}
		item := dependencyItem{Name: d.Name, Requirement: d.Requirement, Optional: d.Optional}
		if d.Package != nil {
			target := route.OfPackage(d.Package.Owner.Name, d.Package.Type, d.Package.Name)
			item.Target = &target
		}
		groups[i].Items = append(groups[i].Items, item)
	}
	return groups
}

func fileItems(files *queries.VersionDetailsFilesPackageFileConnection) []fileItem {
	if files == nil {
		return nil
	}
	var items []fileItem
	for _, edge := range files.Edges {
		f := edge.Node
		item := fileItem{Name: f.Name, URL: f.Url, Size: f.Blob.Size, Downloads: f.Downloads}
		for _, digest := range []factItem{
			{"SHA-256", f.Blob.Sha256}, {"SHA-512", f.Blob.Sha512}, {"SHA-1", f.Blob.Sha1},
			{"MD5", f.Blob.Md5}, {"BLAKE2b", f.Blob.Blake2b},
		} {
			if digest.Value != "" {
				item.Digests = append(item.Digests, digest)
			}
		}
		items = append(items, item)
	}
	return items
}

// tableOf gives the fact of that name if it is a table.
func tableOf(facts []queries.VersionDetailsFactsFact, name string) *factTable {
	for _, fact := range facts {
		if fact.Name == name && len(fact.Columns) > 0 {
			return &factTable{Name: fact.Name, Title: fact.Title, Columns: fact.Columns, Rows: fact.Rows}
		}
	}
	return nil
}
