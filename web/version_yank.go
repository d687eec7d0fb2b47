package web

import (
	"net/http"

	"entrepot/web/queries"
	"entrepot/web/route"
)

// yankVersionForm asks why the version is yanked, or whether to offer it again.
func (s *site) yankVersionForm(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, _, err := s.versionToYank(r, t)
	if err != nil {
		return err
	}
	return s.show(w, r, versionYankPage(v))
}

// yankVersion yanks the version, or offers one that is yanked again.
func (s *site) yankVersion(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, id, err := s.versionToYank(r, t)
	if err != nil {
		return err
	}
	v.Reason = r.PostForm.Get("reason")
	notice := "Version " + v.Version + " is yanked"
	if v.Yanked {
		notice = "Version " + v.Version + " is offered again"
		_, err = queries.UnyankVersion(r.Context(), s.GraphQL, id)
	} else {
		_, err = queries.YankVersion(r.Context(), s.GraphQL, id, v.Reason)
	}
	if err != nil {
		p, err := formProblem(err)
		if err != nil {
			return err
		}
		v.Error = sentence(p.message)
		s.render(w, r, p.status(), versionYankPage(v))
		return nil
	}
	s.notice(r, notice)
	return seeOther(w, t.As(route.Versions).Path())
}

// versionToYank loads what the page shows, and the id of the version. Who may not write gets no page, nor do types
// that know no yanking.
func (s *site) versionToYank(r *http.Request, t route.Target) (versionYankView, string, error) {
	res, err := queries.VersionToYank(r.Context(), s.GraphQL, t.Owner, t.Type, t.Name, t.Version)
	if err != nil {
		return versionYankView{}, "", err
	}
	p := res.Package
	if p == nil || p.Version == nil || p.PackageType == nil || !p.PackageType.Yanks {
		return versionYankView{}, "", errNoPage
	}
	if !p.ViewerCan.Write {
		return versionYankView{}, "", &problem{code: "FORBIDDEN", message: "only members of " + p.Owner.Name + " who may publish can yank a version"}
	}
	title := "Yank version"
	if p.Version.Yanked {
		title = "Offer version again"
	}
	return versionYankView{
		Page: s.page(r, title, res.Viewer), Target: t, Title: title, Version: p.Version.Version, Yanked: p.Version.Yanked,
	}, p.Version.Id, nil
}
