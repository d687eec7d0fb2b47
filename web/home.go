package web

import (
	"net/http"

	"entrepot/access"
	"entrepot/web/queries"
	"entrepot/web/route"
)

// recentPackages is how many packages the start page lists.
const recentPackages = 12

// home shows the start page: a search field, what was published last, and the viewer's owners.
func (s *site) home(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	viewer := access.FromContext(r.Context())
	res, err := queries.Home(r.Context(), s.GraphQL, recentPackages, viewer.Login, viewer.SignedIn())
	if err != nil {
		return err
	}
	v := homeView{Page: s.page(r, "", res.Viewer), Packages: int64(res.Search.Packages.TotalCount)}
	v.Page.Bare = true
	v.Page.Description = "Entrepot keeps the packages of every ecosystem in one place."
	for _, edge := range res.Search.Packages.Edges {
		v.Recent = append(v.Recent, packageItem(edge.Node, true))
	}
	for _, t := range res.Search.Types {
		v.Types = append(v.Types, typeCount{t.Type, int64(t.Count)})
	}
	for _, t := range res.PackageTypes {
		v.Publish = append(v.Publish, firstOf(publishInstructions(t.Instructions))...)
	}
	return s.show(w, r, homePage(v))
}
