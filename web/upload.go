package web

import (
	"net/http"

	"entrepot/web/queries"
	"entrepot/web/route"
)

// upload shows the form that publishes files as a generic package. The files go to GraphQL's uploadFile, one request
// each (web/assets/app.js), so that they are streamed and their progress can be shown.
func (s *site) upload(w http.ResponseWriter, r *http.Request, t route.Target) error {
	res, err := queries.Upload(r.Context(), s.GraphQL, t.Owner)
	if err != nil {
		return err
	}
	if res.Owner == nil {
		return errNoPage
	}
	if !res.Owner.ViewerCan.Write {
		if res.Viewer == nil {
			return errSignIn
		}
		return &problem{code: "FORBIDDEN", message: "only members of " + res.Owner.Name + " with the right to publish can upload here"}
	}
	v := uploadView{Page: s.page(r, "Upload to "+res.Owner.Name, res.Viewer), Head: ownerHeadOf(*res.Owner)}
	for _, typ := range res.PackageTypes {
		if typ.SingleFiles {
			v.Publish = append(v.Publish, publishInstructions(typ.Instructions)...)
		}
	}
	return s.show(w, r, uploadPage(v))
}
