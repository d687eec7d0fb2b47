package web

import (
	"net/http"
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// deleteVersionForm asks for the version to be typed before it is deleted.
func (s *site) deleteVersionForm(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, _, err := s.versionToDelete(r, t)
	if err != nil {
		return err
	}
	return s.show(w, r, versionDeletePage(v))
}

// deleteVersion deletes the version when its name was typed right.
func (s *site) deleteVersion(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, id, err := s.versionToDelete(r, t)
	if err != nil {
		return err
	}
	if strings.TrimSpace(r.PostForm.Get("confirm")) != v.Confirm {
		v.Error = "This is not the version. Type " + v.Confirm + "."
		s.render(w, r, http.StatusUnprocessableEntity, versionDeletePage(v))
		return nil
	}
	res, err := queries.DeleteVersion(r.Context(), s.GraphQL, id)
	if err != nil {
		p, err := formProblem(err)
		if err != nil {
			return err
		}
		v.Error = sentence(p.message)
		s.render(w, r, p.status(), versionDeletePage(v))
		return nil
	}
	s.notice(r, "Version "+v.Confirm+" is deleted")
	if res.DeleteVersion.Package == nil {
		return seeOther(w, route.OfOwner(t.Owner).Path())
	}
	return seeOther(w, t.As(route.Versions).Path())
}

// versionToDelete loads what the page shows, and the id of the version. Who may not delete gets no page.
func (s *site) versionToDelete(r *http.Request, t route.Target) (versionDeleteView, string, error) {
	res, err := queries.VersionToDelete(r.Context(), s.GraphQL, t.Owner, t.Type, t.Name, t.Version)
	if err != nil {
		return versionDeleteView{}, "", err
	}
	p := res.Package
	if p == nil || p.Version == nil {
		return versionDeleteView{}, "", errNoPage
	}
	if !p.ViewerCan.Delete {
		return versionDeleteView{}, "", &problem{code: "FORBIDDEN", message: "only members of " + p.Owner.Name + " who may delete packages can delete a version"}
	}
	h := packageHeadOf(t, p.PackageHead, p.Latest, "")
	h.Version = p.Version.Version
	return versionDeleteView{
		Page:    s.page(r, "Delete version", res.Viewer),
		Head:    h,
		Confirm: ui.ShortDigest(p.Version.Version),
		Files:   int64(p.Version.FileCount),
		Size:    p.Version.Size,
	}, p.Version.Id, nil
}
