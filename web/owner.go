package web

import (
	"net/http"

	"entrepot/web/queries"
	"entrepot/web/route"
)

// owner shows the packages of an owner, of one type when the address names one, and the members to who may see them.
func (s *site) owner(w http.ResponseWriter, r *http.Request, t route.Target) error {
	text := searchText(r.URL.Query().Get("q"))
	p := pagingOf(r, pageSize)
	res, err := queries.Owner(r.Context(), s.GraphQL, t.Owner, text, oneOrAll(t.Type), p.after, p.before, p.first, p.last)
	if err != nil {
		return err
	}
	if res.Owner == nil {
		return errNoPage
	}
	if res.Owner.Name != t.Owner {
		t.Owner = res.Owner.Name
		redirect(w, withQuery(t.Path(), r.URL.RawQuery), http.StatusMovedPermanently)
		return nil
	}
	found := res.Search.Packages
	v := ownerView{
		Page:   s.page(r, res.Owner.Name, res.Viewer),
		Head:   ownerHeadOf(res.Owner.OwnerHead),
		Type:   t.Type,
		Text:   text,
		Notice: s.takeNotice(r),
		Total:  int64(found.TotalCount),
		Pager:  pager(r.URL, found.PageInfo, len(found.Edges), found.TotalCount, "package"),
	}
	v.Page.Description = res.Owner.Description
	for _, c := range res.Owner.PackageTypes {
		v.Types = append(v.Types, typeCount{c.Type, int64(c.Count)})
	}
	for _, edge := range found.Edges {
		v.Items = append(v.Items, packageItem(edge.Node, false))
	}
	for _, edge := range res.Owner.Memberships.Edges {
		v.Members = append(v.Members, memberItem{edge.Node.Login, edge.Node.FullName, string(edge.Node.Role)})
	}
	if v.Head.CanPublish && v.Total == 0 {
		for _, c := range res.PackageTypes {
			v.Publish = append(v.Publish, firstOf(publishInstructions(c.Instructions))...)
		}
	}
	return s.show(w, r, ownerPage(v))
}

func ownerHeadOf(o queries.OwnerHead) ownerHead {
	return ownerHead{
		Name:         o.Name,
		DisplayName:  o.DisplayName,
		Description:  o.Description,
		Organization: o.Kind == queries.OwnerKindOrganization,
		Visibility:   string(o.Visibility),
		CanPublish:   o.ViewerCan.Write,
		CanManage:    o.ViewerCan.Administer,
	}
}
