package web

import (
	"net/http"
	"slices"

	"entrepot/web/queries"
	"entrepot/web/ui"
)

// page is the frame of a page whose operation asked for the viewer.
func (s *site) page(r *http.Request, title string, viewer *queries.Account) ui.Page {
	return ui.Page{Chrome: s.chromeOf(r, viewer), Title: title}
}

func (s *site) chromeOf(r *http.Request, viewer *queries.Account) ui.Chrome {
	c := s.chrome(r)
	if viewer == nil {
		return c
	}
	c.Account = &ui.Account{Name: viewer.Login, DisplayName: viewer.User.FullName}
	if c.Account.DisplayName == "" {
		c.Account.DisplayName = viewer.Login
	}
	for _, edge := range viewer.Owners.Edges {
		link := ui.OwnerLink{Name: edge.Node.Name, Organization: edge.Node.Kind == queries.OwnerKindOrganization}
		if link.Organization {
			c.Account.Owners = append(c.Account.Owners, link)
		} else {
			c.Account.Owners = slices.Insert(c.Account.Owners, 0, link) // one's own comes first
		}
	}
	return c
}
