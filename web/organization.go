package web

import (
	"net/http"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// organizationForm shows the form for a new organization.
func (s *site) organizationForm(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	v, err := s.organizationView(r, "", "", ui.VisibilityPublic, nil)
	if err != nil {
		return err
	}
	return s.show(w, r, organizationPage(v))
}

// createOrganization makes the viewer the first owner of a new organization.
func (s *site) createOrganization(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	name, displayName := strings.TrimSpace(r.PostForm.Get("name")), strings.TrimSpace(r.PostForm.Get("displayName"))
	visibility := r.PostForm.Get("visibility")
	if !slices.Contains(queries.AllOwnerVisibility, queries.OwnerVisibility(visibility)) {
		return errForm
	}
	res, err := queries.CreateOrganization(r.Context(), s.GraphQL, name, displayName, queries.OwnerVisibility(visibility))
	if err == nil {
		return seeOther(w, route.OfOwner(res.CreateOrganization.Owner.Name).Path())
	}
	p, err := formProblem(err)
	if err != nil {
		return err
	}
	v, err := s.organizationView(r, name, displayName, visibility, p)
	if err != nil {
		return err
	}
	s.render(w, r, p.status(), organizationPage(v))
	return nil
}

func (s *site) organizationView(r *http.Request, name, displayName, visibility string, p *problem) (organizationView, error) {
	res, err := queries.Viewer(r.Context(), s.GraphQL)
	if err != nil {
		return organizationView{}, err
	}
	if res.Viewer == nil {
		return organizationView{}, errSignIn
	}
	return organizationView{
		Page: s.page(r, "New organization", res.Viewer),
		Name: ui.Field{
			Name: "name", Label: "Name", Value: name, Required: true, Mono: true, Autofocus: true, Error: p.on("name"),
			Help: "Part of every address of its packages. Letters, digits and single - _ . between them.",
		},
		DisplayName: ui.Field{
			Name: "displayName", Label: "Display name", Value: displayName, Error: p.on("displayName"),
			Help: "As people call it; may stay empty.",
		},
		Visibility: visibility,
		Problem:    p.apart("name", "displayName"),
	}, nil
}

// login is the viewer's login, "" when nobody is signed in.
func login(r *http.Request) string { return access.FromContext(r.Context()).Login }
