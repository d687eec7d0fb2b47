package web

import (
	"net/http"
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// profile shows the name, the address and the password form of the signed-in user.
func (s *site) profile(w http.ResponseWriter, r *http.Request) error {
	v, err := s.profileView(r)
	if err != nil {
		return err
	}
	v.Saved = s.takeNotice(r)
	return s.show(w, r, profilePage(v))
}

func (s *site) saveProfile(w http.ResponseWriter, r *http.Request) error {
	name, email := strings.TrimSpace(r.PostForm.Get("name")), strings.TrimSpace(r.PostForm.Get("email"))
	_, err := queries.UpdateProfile(r.Context(), s.GraphQL, name, email)
	if err == nil {
		s.notice(r, "Profile saved")
		return seeOther(w, route.OfSettings(route.Profile).Path())
	}
	p, err := formProblem(err)
	if err != nil {
		return err
	}
	v, err := s.profileView(r)
	if err != nil {
		return err
	}
	v.Name.Value, v.Name.Error = name, p.on("fullName")
	v.Email.Value, v.Email.Error = email, p.on("email")
	v.Problem = p.apart("fullName", "email")
	s.render(w, r, p.status(), profilePage(v))
	return nil
}

// changePassword ends every session of the user, so this browser signs in anew with the new password.
func (s *site) changePassword(w http.ResponseWriter, r *http.Request) error {
	password := r.PostForm.Get("new")
	_, err := queries.SetPassword(r.Context(), s.GraphQL, r.PostForm.Get("current"), password)
	if err != nil {
		p, err := formProblem(err)
		if err != nil {
			return err
		}
		v, err := s.profileView(r)
		if err != nil {
			return err
		}
		v.Current.Error, v.New.Error = p.on("oldPassword"), p.on("password")
		v.Problem = p.apart("oldPassword", "password")
		s.render(w, r, p.status(), profilePage(v))
		return nil
	}
	user, err := s.Auth.CheckPassword(r.Context(), login(r), password, clientHost(r))
	if err != nil {
		return err
	}
	if err := s.Auth.SignIn(r.Context(), s.Sessions, user); err != nil {
		return err
	}
	s.notice(r, "Password changed; other browsers are signed out")
	return seeOther(w, route.OfSettings(route.Profile).Path())
}

func (s *site) profileView(r *http.Request) (profileView, error) {
	res, err := queries.Profile(r.Context(), s.GraphQL)
	if err != nil {
		return profileView{}, err
	}
	if res.Viewer == nil {
		return profileView{}, errSignIn
	}
	return profileView{
		Page:  s.page(r, "Profile", &res.Viewer.Account),
		Login: res.Viewer.Login,
		Name:  ui.Field{Name: "name", Label: "Name", Value: res.Viewer.User.FullName, Autocomplete: "name"},
		Email: ui.Field{
			Name: "email", Label: "E-mail", Type: "email", Value: res.Viewer.Email, Autocomplete: "email", Required: true,
			Help: "Shown to administrators only. You can sign in with it.",
		},
		Current: ui.Field{
			Name: "current", Label: "Current password", Type: "password", Autocomplete: "current-password", Required: true,
		},
		New: ui.Field{
			Name: "new", Label: "New password", Type: "password", Autocomplete: "new-password", Required: true,
			Help: "At least 8 characters.",
		},
	}, nil
}
