package web

import (
	"net/http"
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// copyVersionForm asks where a version is to be copied.
func (s *site) copyVersionForm(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, _, err := s.versionToCopy(r, t)
	if err != nil {
		return err
	}
	return s.show(w, r, versionCopyPage(v))
}

// copyVersion copies the version and shows the copy.
func (s *site) copyVersion(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, id, err := s.versionToCopy(r, t)
	if err != nil {
		return err
	}
	owner, name := r.PostForm.Get("owner"), strings.TrimSpace(r.PostForm.Get("package"))
	tags := strings.FieldsFunc(r.PostForm.Get("tags"), func(c rune) bool { return c == ',' || c == ' ' })
	if tags == nil {
		tags = []string{}
	}
	v.With = r.PostForm.Get("referrers") != ""
	v.Package.Value, v.Tags.Value = name, strings.Join(tags, ", ")
	for i := range v.Owners {
		v.Owners[i].Selected = v.Owners[i].Value == owner
	}
	res, err := queries.CopyVersion(r.Context(), s.GraphQL, id, owner, name, tags, v.With)
	if err != nil {
		p, err := formProblem(err)
		if err != nil {
			return err
		}
		v.Owner.Error, v.Package.Error, v.Tags.Error = p.on("owner"), p.on("package"), p.on("tags")
		if v.Owner.Error+v.Package.Error+v.Tags.Error == "" {
			v.Error = sentence(p.message)
		}
		s.render(w, r, p.status(), versionCopyPage(v))
		return nil
	}
	p := res.CopyVersion.Package
	return seeOther(w, route.OfVersion(p.Owner.Name, t.Type, p.Name, res.CopyVersion.Version.Version).Path())
}

// versionToCopy loads what the page shows, and the id of the version. Types whose versions are not copied have no such
// page.
func (s *site) versionToCopy(r *http.Request, t route.Target) (versionCopyView, string, error) {
	res, err := queries.VersionToCopy(r.Context(), s.GraphQL, t.Owner, t.Type, t.Name, t.Version)
	if err != nil {
		return versionCopyView{}, "", err
	}
	p := res.Package
	if p == nil || p.Version == nil || p.PackageType == nil || !p.PackageType.Copies {
		return versionCopyView{}, "", errNoPage
	}
	if res.Viewer == nil {
		return versionCopyView{}, "", errSignIn
	}
	v := versionCopyView{
		Page: s.page(r, "Copy version", res.Viewer), Target: t, Version: p.Version.Version, Size: p.Version.Size,
		Owner:     ui.Field{Name: "owner", Label: "Owner", Help: "Who may read the copy follows from its new owner."},
		Package:   ui.Field{Name: "package", Label: "Package", Value: p.Name, Required: true, Mono: true},
		Tags:      ui.Field{Name: "tags", Label: "Tags", Mono: true, Help: "Separated by commas. They move here if they are there already."},
		Referrers: int64(p.Version.Referrers.TotalCount), With: true,
	}
	var tags []string
	for _, edge := range p.Version.Tags.Edges {
		tags = append(tags, edge.Node.Name)
	}
	v.Tags.Value = strings.Join(tags, ", ")
	for _, edge := range res.Owners.Edges {
		if o := edge.Node; o.ViewerCan.Write {
			label := o.Name
			if o.Visibility != queries.OwnerVisibilityPublic {
				label += " (" + strings.ToLower(string(o.Visibility)) + ")"
			}
			v.Owners = append(v.Owners, ui.Option{Value: o.Name, Label: label})
		}
	}
	if len(v.Owners) == 0 {
		return versionCopyView{}, "", &problem{code: "FORBIDDEN", message: "there is no owner to which you may publish"}
	}
	return v, p.Version.Id, nil
}
