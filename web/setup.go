package web

import (
	"net/http"
	"strings"

	"entrepot/auth"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// setupForm shows the form for the first administrator. The link in the address is the permission.
func (s *site) setupForm(w http.ResponseWriter, r *http.Request, t route.Target) error {
	if err := s.Auth.CheckSetupToken(r.Context(), t.Token); err != nil {
		return err
	}
	return s.show(w, r, setupPage(s.setupView(r, auth.NewUser{}, nil)))
}

// setup creates the administrator and signs them in.
func (s *site) setup(w http.ResponseWriter, r *http.Request, t route.Target) error {
	n := auth.NewUser{
		Login:    strings.TrimSpace(r.PostForm.Get("login")),
		Email:    strings.TrimSpace(r.PostForm.Get("email")),
		Password: r.PostForm.Get("password"),
	}
	user, err := s.Auth.Setup(r.Context(), t.Token, n)
	if err != nil {
		p := problemOf(err)
		if p == nil || p.code != "INVALID" && p.code != "CONFLICT" {
			return err
		}
		s.render(w, r, p.status(), setupPage(s.setupView(r, n, p)))
		return nil
	}
	if err := s.Auth.SignIn(r.Context(), s.Sessions, user); err != nil {
		return err
	}
	return seeOther(w, "/")
}

func (s *site) setupView(r *http.Request, n auth.NewUser, p *problem) setupView {
	v := setupView{
		Page: s.plainPage(r, "Set up"),
		Login: ui.Field{
			Name: "login", Label: "Login", Value: n.Login, Autocomplete: "username", Required: true, Autofocus: true, Mono: true,
			Help: "Also the name under which your own packages appear.", Error: p.on("login"),
		},
		Email: ui.Field{
			Name: "email", Label: "E-mail", Type: "email", Value: n.Email, Autocomplete: "email", Required: true, Error: p.on("email"),
		},
		Password: ui.Field{
			Name: "password", Label: "Password", Type: "password", Autocomplete: "new-password", Required: true,
			Help: "At least 8 characters.", Error: p.on("password"),
		},
		Problem: p.apart("login", "email", "password"),
	}
	v.Page.Bare = true
	return v
}
