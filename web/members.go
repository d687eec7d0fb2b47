package web

import (
	"net/http"
	"slices"
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// members lists the members of an organization.
func (s *site) members(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, err := s.membersView(r, t)
	if err != nil {
		return err
	}
	v.Done = s.takeNotice(r)
	return s.show(w, r, membersPage(v))
}

// setMember adds a member or changes the role of one.
func (s *site) setMember(w http.ResponseWriter, r *http.Request, t route.Target) error {
	user, role := strings.TrimSpace(r.PostForm.Get("login")), r.PostForm.Get("role")
	if !slices.Contains(queries.AllMembershipRole, queries.MembershipRole(role)) {
		return errForm
	}
	_, err := queries.SetMember(r.Context(), s.GraphQL, t.Owner, user, queries.MembershipRole(role))
	if err != nil {
		return s.refuseMember(w, r, t, user, err)
	}
	s.notice(r, user+" is now "+strings.ToLower(roleName(role)))
	return seeOther(w, t.Path())
}

// removeMember removes a member. Who removes themselves may not see the page any more.
func (s *site) removeMember(w http.ResponseWriter, r *http.Request, t route.Target) error {
	user := r.PostForm.Get("login")
	if _, err := queries.RemoveMember(r.Context(), s.GraphQL, t.Owner, user); err != nil {
		return s.refuseMember(w, r, t, "", err)
	}
	if strings.EqualFold(user, login(r)) {
		return seeOther(w, "/")
	}
	s.notice(r, user+" is no longer a member")
	return seeOther(w, t.Path())
}

// refuseMember shows the page again with why it did not work.
func (s *site) refuseMember(w http.ResponseWriter, r *http.Request, t route.Target, user string, err error) error {
	p, err := formProblem(err)
	if err != nil {
		return err
	}
	v, err := s.membersView(r, t)
	if err != nil {
		return err
	}
	if r.PostForm.Get("action") == "add" {
		v.Login.Value, v.Login.Error = user, p.on("user")
		v.Problem = p.apart("user")
	} else {
		v.Problem = sentence(p.message)
	}
	s.render(w, r, p.status(), membersPage(v))
	return nil
}

func (s *site) membersView(r *http.Request, t route.Target) (membersView, error) {
	res, err := queries.Members(r.Context(), s.GraphQL, t.Owner)
	if err != nil {
		return membersView{}, err
	}
	if res.Owner == nil {
		return membersView{}, errNoPage
	}
	head, err := administered(&res.Owner.OwnerHead)
	if err != nil {
		return membersView{}, err
	}
	if !head.Organization {
		return membersView{}, errNoPage
	}
	v := membersView{
		Page:   s.page(r, "Members of "+head.Name, res.Viewer),
		Head:   head,
		Viewer: login(r),
		Login:  ui.Field{Name: "login", Label: "Login", Required: true, Mono: true, Autocomplete: "off"},
	}
	for _, edge := range res.Owner.Memberships.Edges {
		v.Members = append(v.Members, memberItem{edge.Node.Login, edge.Node.FullName, string(edge.Node.Role)})
	}
	return v, nil
}
