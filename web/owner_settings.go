package web

import (
	"net/http"
	"slices"
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// ownerSettings shows the section of an owner's settings that the address names.
func (s *site) ownerSettings(w http.ResponseWriter, r *http.Request, t route.Target) error {
	switch t.Section {
	case route.Members:
		return s.members(w, r, t)
	case route.Cleanup:
		return s.cleanup(w, r, t)
	}
	v, err := s.ownerSettingsView(r, t)
	if err != nil {
		return err
	}
	v.Notice = s.takeNotice(r)
	return s.show(w, r, ownerSettingsPage(v))
}

// changeOwner takes the forms of the settings.
func (s *site) changeOwner(w http.ResponseWriter, r *http.Request, t route.Target) error {
	switch action := r.PostForm.Get("action"); {
	case t.Section == route.Cleanup:
		return s.changeCleanup(w, r, t, action)
	case t.Section == route.Members && (action == "add" || action == "role"):
		return s.setMember(w, r, t)
	case t.Section == route.Members && action == "remove":
		return s.removeMember(w, r, t)
	case t.Section == route.General && action == "general":
		return s.saveOwner(w, r, t)
	case t.Section == route.General && action == "delete":
		return s.deleteOrganization(w, r, t)
	}
	return errForm
}

func (s *site) saveOwner(w http.ResponseWriter, r *http.Request, t route.Target) error {
	displayName, description := strings.TrimSpace(r.PostForm.Get("displayName")), strings.TrimSpace(r.PostForm.Get("description"))
	visibility := r.PostForm.Get("visibility")
	if !slices.Contains(queries.AllOwnerVisibility, queries.OwnerVisibility(visibility)) {
		return errForm
	}
	_, err := queries.UpdateOwner(r.Context(), s.GraphQL, t.Owner, displayName, description, queries.OwnerVisibility(visibility))
	if err == nil {
		s.notice(r, "Settings saved")
		return seeOther(w, t.Path())
	}
	p, err := formProblem(err)
	if err != nil {
		return err
	}
	v, err := s.ownerSettingsView(r, t)
	if err != nil {
		return err
	}
	v.DisplayName.Value, v.DisplayName.Error = displayName, p.on("displayName")
	v.Description.Value, v.Description.Error = description, p.on("description")
	v.Visibility = visibility
	v.Problem = p.apart("displayName", "description")
	s.render(w, r, p.status(), ownerSettingsPage(v))
	return nil
}

func (s *site) deleteOrganization(w http.ResponseWriter, r *http.Request, t route.Target) error {
	refuse := func(status int, why string) error {
		v, err := s.ownerSettingsView(r, t)
		if err != nil {
			return err
		}
		v.Confirm = why
		s.render(w, r, status, ownerSettingsPage(v))
		return nil
	}
	if strings.TrimSpace(r.PostForm.Get("confirm")) != t.Owner {
		return refuse(http.StatusUnprocessableEntity, "This is not the name. Type "+t.Owner+".")
	}
	if _, err := queries.DeleteOrganization(r.Context(), s.GraphQL, t.Owner); err != nil {
		p, err := formProblem(err)
		if err != nil {
			return err
		}
		return refuse(p.status(), sentence(p.message))
	}
	return seeOther(w, "/")
}

func (s *site) ownerSettingsView(r *http.Request, t route.Target) (ownerSettingsView, error) {
	res, err := queries.OwnerSettings(r.Context(), s.GraphQL, t.Owner)
	if err != nil {
		return ownerSettingsView{}, err
	}
	head, err := administered(res.Owner)
	if err != nil {
		return ownerSettingsView{}, err
	}
	return ownerSettingsView{
		Page: s.page(r, "Settings of "+head.Name, res.Viewer),
		Head: head,
		DisplayName: ui.Field{
			Name: "displayName", Label: "Display name", Value: head.DisplayName, Help: "As people call it; may stay empty.",
		},
		Description: ui.Field{Name: "description", Label: "Description", Value: head.Description, Help: "A line about what is published here."},
		Visibility:  head.Visibility,
		CanDelete:   head.Organization,
	}, nil
}

// administered is the head of an owner whose settings the viewer may change.
func administered(o *queries.OwnerHead) (ownerHead, error) {
	if o == nil {
		return ownerHead{}, errNoPage
	}
	if !o.ViewerCan.Administer {
		return ownerHead{}, &problem{code: "FORBIDDEN", message: "only owners of " + o.Name + " can change its settings"}
	}
	return ownerHeadOf(*o), nil
}
