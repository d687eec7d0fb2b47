package web

import (
	"net/http"

	"entrepot/web/queries"
	"entrepot/web/route"
)

// versionsPerPage is how many versions a page lists.
const versionsPerPage = 50

// versions lists the versions of a package, the highest first.
func (s *site) versions(w http.ResponseWriter, r *http.Request, t route.Target) error {
	page := pagingOf(r, versionsPerPage)
	res, err := queries.Versions(r.Context(), s.GraphQL, t.Owner, t.Type, t.Name, page.after, page.before, page.first, page.last)
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
	v := versionsView{
		Page:   s.page(r, "Versions of "+t.Name, res.Viewer),
		Head:   packageHeadOf(t, p.PackageHead, p.Latest, tabVersions),
		Notice: s.takeNotice(r),
		Pager:  pager(r.URL, p.Versions.PageInfo, len(p.Versions.Edges), p.Versions.TotalCount, "version"),
	}
	for _, edge := range p.Versions.Edges {
		n := edge.Node
		item := versionItem{
			Version: n.Version, Latest: n.IsLatest, Prerelease: n.Prerelease, Deprecated: n.Deprecated, Yanked: n.Yanked,
			Reason: n.StatusReason, Published: n.CreatedAt, Size: n.Size, Downloads: n.Downloads,
		}
		if n.Creator != nil {
			item.Publisher = n.Creator.Login
		}
		for _, tag := range n.Tags.Edges {
			item.Tags = append(item.Tags, tag.Node.Name)
		}
		v.Items = append(v.Items, item)
	}
	return s.show(w, r, versionsPage(v))
}
