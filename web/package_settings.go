package web

import (
	"net/http"
	"slices"
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
)

// packageSettings shows the visibility of a package and lets it be deleted.
func (s *site) packageSettings(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, _, err := s.settingsOfPackage(r, t)
	if err != nil {
		return err
	}
	v.Notice = s.takeNotice(r)
	return s.show(w, r, packageSettingsPage(v))
}

// changePackage takes the two forms of the page.
func (s *site) changePackage(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, id, err := s.settingsOfPackage(r, t)
	if err != nil {
		return err
	}
	switch r.PostForm.Get("action") {
	case "visibility":
		visibility := queries.PackageVisibility(r.PostForm.Get("visibility"))
		if !slices.Contains(queries.AllPackageVisibility, visibility) {
			return errForm
		}
		if _, err := queries.SetPackageVisibility(r.Context(), s.GraphQL, id, visibility); err != nil {
			p, err := formProblem(err)
			if err != nil {
				return err
			}
			v.Error = sentence(p.message)
			s.render(w, r, p.status(), packageSettingsPage(v))
			return nil
		}
		s.notice(r, "Visibility saved")
		return seeOther(w, t.Path())
	case "delete":
		if strings.TrimSpace(r.PostForm.Get("confirm")) != t.Name {
			v.ConfirmError = "This is not the name. Type " + t.Name + "."
			s.render(w, r, http.StatusUnprocessableEntity, packageSettingsPage(v))
			return nil
		}
		if _, err := queries.DeletePackage(r.Context(), s.GraphQL, id); err != nil {
			p, err := formProblem(err)
			if err != nil {
				return err
			}
			v.ConfirmError = sentence(p.message)
			s.render(w, r, p.status(), packageSettingsPage(v))
			return nil
		}
		s.notice(r, "Package "+t.Name+" is deleted")
		return seeOther(w, route.OfOwner(t.Owner).Path())
	}
	return errForm
}

func (s *site) settingsOfPackage(r *http.Request, t route.Target) (packageSettingsView, string, error) {
	res, err := queries.PackageSettings(r.Context(), s.GraphQL, t.Owner, t.Type, t.Name)
	if err != nil {
		return packageSettingsView{}, "", err
	}
	p := res.Package
	if p == nil {
		return packageSettingsView{}, "", errNoPage
	}
	if !p.ViewerCan.Write && !p.ViewerCan.Manage && !p.ViewerCan.Delete {
		return packageSettingsView{}, "", &problem{code: "FORBIDDEN", message: "only members of " + p.Owner.Name + " can change its packages"}
	}
	return packageSettingsView{
		Page:            s.page(r, "Settings of "+t.Name, res.Viewer),
		Head:            packageHeadOf(t, *p, p.Latest, tabSettings),
		Own:             string(p.Visibility),
		OwnerVisibility: string(p.Owner.Visibility),
	}, p.Id, nil
}
