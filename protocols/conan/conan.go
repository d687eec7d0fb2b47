// Package conan is the package type for C and C++: the server side of the REST
// API, versions 1 and 2, that the Conan client speaks
// (https://docs.conan.io/2/reference/conan_server.html).
//
// Its central idea: a version holds recipes, and every recipe and every binary
// made from it has revisions, to which clients upload files one by one with
// the manifest last. A file says by its composite key which revision it
// belongs to (key.go), and a revision is there for clients once its manifest
// is (upload.go): what was cut off half-way never counts. Which revision is the
// newest is a list that the manifest's file stands in, so that neither an
// upload nor that question takes longer with the number of revisions.
//
// Conan 1 without revisions uses version 1 of the API (v1.go), which is served
// from the same files: it writes the revision "0" and reads the newest.
package conan

import (
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// typeName is the type in URLs and in the database.
const typeName = "conan"

// New returns the package type.
func New() *protocols.Type {
	return &protocols.Type{
		Type: registry.Type{
			Name:         typeName,
			Title:        "Conan",
			Expiry:       expiry,
			Instructions: instructions,
			Facts:        facts,
			StoredFacts:  storedFacts,
		},
		Routes:  append(append(commonRoutes("v1"), commonRoutes("v2")...), append(routesV2(), routesV1()...)...),
		Dialect: dialect{},
	}
}

// commonRoutes are those that both versions of the API have.
func commonRoutes(version string) []protocols.Route {
	return []protocols.Route{
		{Method: http.MethodGet, Pattern: version + "/ping", Open: true, Handle: ping},
		{Method: http.MethodGet, Pattern: version + "/users/authenticate", Open: true, Handle: authenticate},
		{Method: http.MethodGet, Pattern: version + "/users/check_credentials", Open: true, Handle: checkCredentials},
		{Method: http.MethodGet, Pattern: version + "/conans/search", Action: access.Read, Handle: searchRecipes},
	}
}

// The patterns of version 2.
const (
	recipeV2    = "v2/conans/{name}/{version}/{user}/{channel}"
	revisionV2  = recipeV2 + "/revisions/{rrev}"
	packagesV2  = revisionV2 + "/packages"
	packageV2   = packagesV2 + "/{package}"
	packageRev2 = packageV2 + "/revisions/{prev}"
)

func routesV2() []protocols.Route {
	return []protocols.Route{
		{Method: http.MethodGet, Pattern: recipeV2 + "/latest", Action: access.Read, Handle: latestRecipe},
		{Method: http.MethodGet, Pattern: recipeV2 + "/revisions", Action: access.Read, Handle: recipeRevisions},
		{Method: http.MethodGet, Pattern: recipeV2 + "/search", Action: access.Read, Handle: searchPackages},
		{Method: http.MethodGet, Pattern: revisionV2 + "/search", Action: access.Read, Handle: searchPackages},
		{Method: http.MethodGet, Pattern: revisionV2 + "/files", Action: access.Read, Handle: listFiles},
		{Method: http.MethodGet, Pattern: revisionV2 + "/files/{path...}", Action: access.Read, Handle: download},
		{Method: http.MethodPut, Pattern: revisionV2 + "/files/{path...}", Action: access.Write, Handle: upload},
		{Method: http.MethodGet, Pattern: packageV2 + "/latest", Action: access.Read, Handle: latestPackage},
		{Method: http.MethodGet, Pattern: packageV2 + "/revisions", Action: access.Read, Handle: packageRevisions},
		{Method: http.MethodGet, Pattern: packageRev2 + "/files", Action: access.Read, Handle: listFiles},
		{Method: http.MethodGet, Pattern: packageRev2 + "/files/{path...}", Action: access.Read, Handle: download},
		{Method: http.MethodPut, Pattern: packageRev2 + "/files/{path...}", Action: access.Write, Handle: upload},
		{Method: http.MethodDelete, Pattern: recipeV2, Action: access.Delete, Handle: deleteRevisions},
		{Method: http.MethodDelete, Pattern: revisionV2, Action: access.Delete, Handle: deleteRevisions},
		{Method: http.MethodDelete, Pattern: packagesV2, Action: access.Delete, Handle: deletePackages},
		{Method: http.MethodDelete, Pattern: packageV2, Action: access.Delete, Handle: deletePackages},
		{Method: http.MethodDelete, Pattern: packageRev2, Action: access.Delete, Handle: deletePackages},
	}
}

// The patterns of version 1. Clients may put matrix parameters behind the word
// files, so that it is a parameter here.
const (
	recipeV1      = "v1/conans/{name}/{version}/{user}/{channel}"
	packageV1     = recipeV1 + "/packages/{package}"
	recipeFileV1  = "v1/{files}/{name}/{version}/{user}/{channel}/{rrev}/recipe/{path...}"
	packageFileV1 = "v1/{files}/{name}/{version}/{user}/{channel}/{rrev}/package/{package}/{prev}/{path...}"
)

func routesV1() []protocols.Route {
	return []protocols.Route{
		{Method: http.MethodGet, Pattern: recipeV1, Action: access.Read, Handle: snapshot},
		{Method: http.MethodDelete, Pattern: recipeV1, Action: access.Delete, Handle: deleteRevisions},
		{Method: http.MethodGet, Pattern: recipeV1 + "/digest", Action: access.Read, Handle: digest},
		{Method: http.MethodGet, Pattern: recipeV1 + "/download_urls", Action: access.Read, Handle: downloadURLs},
		{Method: http.MethodPost, Pattern: recipeV1 + "/upload_urls", Action: access.Write, Handle: uploadURLs},
		{Method: http.MethodGet, Pattern: recipeV1 + "/search", Action: access.Read, Handle: searchAllPackages},
		{Method: http.MethodPost, Pattern: recipeV1 + "/remove_files", Action: access.Delete, Handle: removeFiles},
		{Method: http.MethodPost, Pattern: recipeV1 + "/packages/delete", Action: access.Delete, Handle: removePackages},
		{Method: http.MethodGet, Pattern: packageV1, Action: access.Read, Handle: snapshot},
		{Method: http.MethodGet, Pattern: packageV1 + "/digest", Action: access.Read, Handle: digest},
		{Method: http.MethodGet, Pattern: packageV1 + "/download_urls", Action: access.Read, Handle: downloadURLs},
		{Method: http.MethodPost, Pattern: packageV1 + "/upload_urls", Action: access.Write, Handle: uploadURLs},
		{Method: http.MethodGet, Pattern: recipeFileV1, Action: access.Read, Handle: withMatrix(download)},
		{Method: http.MethodPut, Pattern: recipeFileV1, Action: access.Write, Handle: withMatrix(upload)},
		{Method: http.MethodGet, Pattern: packageFileV1, Action: access.Read, Handle: withMatrix(download)},
		{Method: http.MethodPut, Pattern: packageFileV1, Action: access.Write, Handle: withMatrix(upload)},
	}
}
