package nuget

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// serviceIndex tells V3 clients what there is and where. Everything lies below
// the index itself, so that .NET sends credentials along at once.
//
// https://learn.microsoft.com/nuget/api/service-index
func serviceIndex(w http.ResponseWriter, r *protocols.Request) error {
	root, err := knownRoot(r)
	if err != nil {
		return err
	}
	type resource struct {
		ID   string `json:"@id"`
		Type string `json:"@type"`
	}
	index := struct {
		Version   string     `json:"version"`
		Resources []resource `json:"resources"`
	}{Version: "3.0.0"}
	add := func(url, name string, versions ...string) {
		for _, v := range versions {
			index.Resources = append(index.Resources, resource{url, name + v})
		}
	}
	add(root+"/query", "SearchQueryService", "", "/3.0.0-beta", "/3.0.0-rc", "/3.5.0")
	add(root+"/autocomplete", "SearchAutocompleteService", "", "/3.0.0-beta", "/3.0.0-rc", "/3.5.0")
	add(root+"/registration", "RegistrationsBaseUrl", "", "/3.0.0-beta", "/3.0.0-rc", "/3.4.0", "/3.6.0")
	add(root+"/package", "PackageBaseAddress", "/3.0.0")
	add(root, "PackagePublish", "/2.0.0")
	add(root+"/symbolpackage", "SymbolPackagePublish", "/4.9.0")
	add(root, "LegacyGallery", "/2.0.0")
	add(root+"/package/{lower_id}/{lower_version}/readme", "ReadmeUriTemplate", "/6.13.0")
	if page := r.BaseURL + protocols.JoinPath(r.OwnerName, typeName); page[:6] == "https:" {
		// Clients refuse one without TLS.
		add(page+"/{id}/v/{version}", "PackageDetailsUriTemplate", "/5.1.0")
	}
	return serveBytes(w, r, jsonType, append(jsonOf(index), '\n'))
}

// knownRoot is the URL of the owner's packages, if there is such an owner:
// clients without credentials at hand must find their way to private ones.
func knownRoot(r *protocols.Request) (string, error) {
	ctx := access.SystemContext(r.Context())
	if _, err := r.Registry.Enter(ctx, r.OwnerName, typeName, access.Read); registry.CodeOf(err) != "" {
		return "", registry.Errorf(registry.NotFound, "there is no owner of that name")
	} else if err != nil {
		return "", err
	}
	return rootURL(r), nil
}
