//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// nugetClient speaks version 3 of NuGet's protocol as strictly as dotnet does:
// it reads the service index first and goes only where that says, sends the
// credentials of its source only when it is asked for them, and its API key
// only with what changes something.
//
// https://learn.microsoft.com/nuget/api/overview
type nugetClient struct {
	source       string // where the service index is
	user, secret string
	key          string
	resources    map[string]string // by their types
}

// openNuget reads the service index of a source.
func openNuget(ctx context.Context, c nugetClient) (*nugetClient, error) {
	var index struct {
		Version   string `json:"version"`
		Resources []struct {
			ID   string `json:"@id"`
			Type string `json:"@type"`
		} `json:"resources"`
	}
	if err := c.get(ctx, c.source, &index); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(index.Version, "3.") {
		return nil, fmt.Errorf("%s is an index of version %q", c.source, index.Version)
	}
	c.resources = map[string]string{}
	folder := strings.TrimSuffix(c.source, "/index.json")
	for _, r := range index.Resources {
		// .NET sends credentials along only below the folder it has them for.
		if r.ID != folder && !strings.HasPrefix(r.ID, folder+"/") {
			return nil, fmt.Errorf("the resource %s is at %q, which is not below %s", r.Type, r.ID, folder)
		}
		if c.resources[r.Type] == "" {
			c.resources[r.Type] = r.ID
		}
	}
	return &c, nil
}

// at is a URL below a resource.
func (c *nugetClient) at(resource string, parts ...string) (string, error) {
	base := c.resources[resource]
	if base == "" {
		return "", fmt.Errorf("the source has no %s", resource)
	}
	for _, part := range parts {
		base = strings.TrimSuffix(base, "/") + "/" + part
	}
	return base, nil
}

// send sends one request.
func (c *nugetClient) send(ctx context.Context, method, target string, form *nugetForm, signed bool) (Response, error) {
	var body io.Reader
	if form != nil {
		body = io.MultiReader(bytes.NewReader(form.body)) // of no known length: it goes in chunks
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return Response{}, err
	}
	if !request.URL.IsAbs() {
		return Response{}, fmt.Errorf("the URL %q is not absolute", target)
	}
	if form != nil {
		request.Header.Set("Content-Type", form.contentType)
	}
	if c.key != "" && method != http.MethodGet {
		request.Header.Set("X-NuGet-ApiKey", c.key)
	}
	if signed {
		request.SetBasicAuth(c.user, c.secret)
	}
	client := newHTTPClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return Response{response.StatusCode, response.Header, content}, err
}

// do sends a request, once more with credentials if they are asked for, and
// follows to where a file is stored. It wants a status.
func (c *nugetClient) do(ctx context.Context, want int, method, target string, form *nugetForm) (Response, error) {
	response, err := c.send(ctx, method, target, form, false)
	if err == nil && response.Status == http.StatusUnauthorized {
		if challenge := response.Header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Basic realm=") {
			return response, fmt.Errorf("%s %s: the challenge is %q", method, target, challenge)
		}
		if c.user != "" {
			response, err = c.send(ctx, method, target, form, true)
		}
	}
	if err == nil && response.Status == http.StatusFound && method == http.MethodGet {
		response, err = c.send(ctx, method, response.Header.Get("Location"), nil, false)
	}
	if err != nil || response.Status == want {
		return response, err
	}
	var problem struct{ Message string }
	if err := json.Unmarshal(response.Body, &problem); err != nil || problem.Message == "" {
		return response, fmt.Errorf("%s %s: %s has no message", method, target, response)
	}
	return response, fmt.Errorf("%s %s: %d: %s", method, target, response.Status, problem.Message)
}

// get reads a JSON document.
func (c *nugetClient) get(ctx context.Context, target string, v any) error {
	response, err := c.do(ctx, http.StatusOK, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	if got := response.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		return fmt.Errorf("%s is of the type %q", target, got)
	}
	if err := json.Unmarshal(response.Body, v); err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	return nil
}

// nugetForm is a package in the form in which it is pushed.
type nugetForm struct {
	body        []byte
	contentType string
}

func newNugetForm(pkg []byte) (*nugetForm, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("package", "package.nupkg")
	if err != nil {
		return nil, err
	}
	if _, err := part.Write(pkg); err != nil {
		return nil, err
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	return &nugetForm{body.Bytes(), form.FormDataContentType()}, nil
}

// push sends a package to one of the resources for that: PackagePublish/2.0.0
// or SymbolPackagePublish/4.9.0.
func (c *nugetClient) push(ctx context.Context, resource string, pkg []byte) (Response, error) {
	target, err := c.at(resource, "") // dotnet adds a slash
	if err != nil {
		return Response{}, err
	}
	form, err := newNugetForm(pkg)
	if err != nil {
		return Response{}, err
	}
	return c.do(ctx, http.StatusCreated, http.MethodPut, target, form)
}

// setListed deletes a version, or lists it again.
func (c *nugetClient) setListed(ctx context.Context, id, version string, listed bool) error {
	target, err := c.at("PackagePublish/2.0.0", id, version)
	if err != nil {
		return err
	}
	method, want := http.MethodDelete, http.StatusNoContent
	if listed {
		method, want = http.MethodPost, http.StatusOK
	}
	_, err = c.do(ctx, want, method, target, nil)
	return err
}

// nugetResult is what a search finds.
type nugetResult struct {
	ID           string    `json:"id"`
	Version      string    `json:"version"`
	Description  *string   `json:"description"`
	Registration string    `json:"registration"`
	Tags         *[]string `json:"tags"`
	Versions     []struct {
		ID      string `json:"@id"`
		Version string `json:"version"`
	} `json:"versions"`
}

// search finds packages, and refuses results that a client could not show.
func (c *nugetClient) search(ctx context.Context, words string, prereleases bool) ([]nugetResult, error) {
	target, err := c.at("SearchQueryService/3.0.0-beta")
	if err != nil {
		return nil, err
	}
	var found struct {
		TotalHits int           `json:"totalHits"`
		Data      []nugetResult `json:"data"`
	}
	query := url.Values{"q": {words}, "skip": {"0"}, "take": {"20"}, "prerelease": {fmt.Sprint(prereleases)}, "semVerLevel": {"2.0.0"}}
	if err := c.get(ctx, target+"?"+query.Encode(), &found); err != nil {
		return nil, err
	}
	if found.TotalHits != len(found.Data) {
		return nil, fmt.Errorf("%d hits, %d results", found.TotalHits, len(found.Data))
	}
	for _, r := range found.Data {
		if r.Description == nil || r.Tags == nil || len(r.Versions) == 0 || r.Versions[len(r.Versions)-1].Version != r.Version {
			return nil, fmt.Errorf("the result %+v is incomplete", r)
		}
		var index struct {
			ID string `json:"@id"`
		}
		if err := c.get(ctx, r.Registration, &index); err != nil || index.ID != r.Registration {
			return nil, fmt.Errorf("the registration at %s is of %q: %v", r.Registration, index.ID, err)
		}
		for _, v := range r.Versions {
			var leaf nugetEntry
			if err := c.get(ctx, v.ID, &leaf); err != nil || leaf.Version != v.Version {
				return nil, fmt.Errorf("the leaf at %s is of %q: %v", v.ID, leaf.Version, err)
			}
		}
	}
	return found.Data, nil
}

// complete completes the beginning of an id or, of a whole one, its versions.
func (c *nugetClient) complete(ctx context.Context, parameter, value string) ([]string, error) {
	target, err := c.at("SearchAutocompleteService/3.0.0-beta")
	if err != nil {
		return nil, err
	}
	var found struct {
		Data []string `json:"data"`
	}
	query := url.Values{parameter: {value}, "prerelease": {"true"}, "semVerLevel": {"2.0.0"}}
	return found.Data, c.get(ctx, target+"?"+query.Encode(), &found)
}

// The documents of a registration, as the client reads them.
type (
	nugetEntry struct {
		ID        string    `json:"id"`
		Version   string    `json:"version"`
		Listed    *bool     `json:"listed"`
		Published time.Time `json:"published"`
		Groups    []struct {
			Framework    string `json:"targetFramework"`
			Dependencies []struct{ ID, Range, Registration string }
		} `json:"dependencyGroups"`
	}
	nugetLeaf struct {
		ID           string     `json:"@id"`
		Content      string     `json:"packageContent"`
		CatalogEntry nugetEntry `json:"catalogEntry"`
	}
	nugetPage struct {
		ID    string      `json:"@id"`
		Count int         `json:"count"`
		Lower string      `json:"lower"`
		Upper string      `json:"upper"`
		Items []nugetLeaf `json:"items"`
	}
)

// registration reads all versions of a package, page by page, and refuses
// pages that do not hold what they say.
func (c *nugetClient) registration(ctx context.Context, id string) ([]nugetLeaf, error) {
	target, err := c.at("RegistrationsBaseUrl/3.6.0", strings.ToLower(id), "index.json")
	if err != nil {
		return nil, err
	}
	var index struct {
		Count int         `json:"count"`
		Items []nugetPage `json:"items"`
	}
	if err := c.get(ctx, target, &index); err != nil {
		return nil, err
	}
	var all []nugetLeaf
	for _, page := range index.Items {
		if page.Items == nil {
			if err := c.get(ctx, page.ID, &page); err != nil {
				return nil, err
			}
		}
		if n := len(page.Items); n == 0 || n != page.Count ||
			semver.Compare("v"+page.Items[0].CatalogEntry.Version, "v"+page.Lower) != 0 || semver.Compare("v"+page.Items[n-1].CatalogEntry.Version, "v"+page.Upper) != 0 {
			return nil, fmt.Errorf("the page %s has %d versions, not %d from %s to %s", page.ID, n, page.Count, page.Lower, page.Upper)
		}
		all = append(all, page.Items...)
	}
	if len(index.Items) != index.Count || len(all) == 0 {
		return nil, fmt.Errorf("the index %s has %d pages with %d versions", target, len(index.Items), len(all))
	}
	for i, leaf := range all {
		e := leaf.CatalogEntry
		if !strings.EqualFold(e.ID, id) || e.Listed == nil || *e.Listed != (e.Published.Year() > 1900) ||
			i > 0 && semver.Compare("v"+all[i-1].CatalogEntry.Version, "v"+e.Version) >= 0 {
			return nil, fmt.Errorf("the registration of %s has at %d what is no good: %+v", id, i, e)
		}
	}
	return all, nil
}

// nugetPackage is a package that was fetched.
type nugetPackage struct {
	id, version string
	content     []byte
}

// restore fetches a package in the lowest version from a given one on, and
// likewise all that it needs.
func (c *nugetClient) restore(ctx context.Context, id, lowest string, have map[string]nugetPackage) error {
	lower := strings.ToLower(id)
	if _, done := have[lower]; done {
		return nil
	}
	target, err := c.at("PackageBaseAddress/3.0.0", lower, "index.json")
	if err != nil {
		return err
	}
	var list struct {
		Versions []string `json:"versions"`
	}
	if err := c.get(ctx, target, &list); err != nil {
		return err
	}
	for _, v := range list.Versions {
		if semver.Compare("v"+v, "v"+lowest) >= 0 {
			have[lower], err = c.fetch(ctx, id, v)
			if err != nil {
				return err
			}
			return c.restoreNeeds(ctx, have[lower], have)
		}
	}
	return fmt.Errorf("%s has no version from %s on among %v", id, lowest, list.Versions)
}

// fetch downloads a version and compares it to what is said of it elsewhere.
func (c *nugetClient) fetch(ctx context.Context, id, version string) (nugetPackage, error) {
	p := nugetPackage{id: id, version: version}
	lower := strings.ToLower(id)
	folder, err := c.at("PackageBaseAddress/3.0.0", lower, version)
	if err != nil {
		return p, err
	}
	response, err := c.do(ctx, http.StatusOK, http.MethodGet, folder+"/"+lower+"."+version+".nupkg", nil)
	if err != nil {
		return p, err
	}
	p.content = response.Body
	manifest, err := nuspecOf(p.content)
	if err != nil {
		return p, err
	}
	response, err = c.do(ctx, http.StatusOK, http.MethodGet, folder+"/"+lower+".nuspec", nil)
	if err != nil {
		return p, err
	}
	if !bytes.Equal(response.Body, manifest) {
		return p, fmt.Errorf("the .nuspec of %s %s is not the one in the package", id, version)
	}
	all, err := c.registration(ctx, id)
	if err != nil {
		return p, err
	}
	for _, leaf := range all {
		if leaf.Content == folder+"/"+lower+"."+version+".nupkg" {
			return p, nil
		}
	}
	return p, fmt.Errorf("the registration of %s does not point to version %s", id, version)
}

// restoreNeeds fetches what a package says that it needs.
func (c *nugetClient) restoreNeeds(ctx context.Context, p nugetPackage, have map[string]nugetPackage) error {
	manifest, err := nuspecOf(p.content)
	if err != nil {
		return err
	}
	type dependency struct {
		ID      string `xml:"id,attr"`
		Version string `xml:"version,attr"`
	}
	var spec struct {
		Bare    []dependency `xml:"metadata>dependencies>dependency"`
		Grouped []dependency `xml:"metadata>dependencies>group>dependency"`
	}
	if err := xml.Unmarshal(manifest, &spec); err != nil {
		return err
	}
	for _, d := range append(spec.Bare, spec.Grouped...) {
		if err := c.restore(ctx, d.ID, d.Version, have); err != nil {
			return fmt.Errorf("%s needs: %w", p.id, err)
		}
	}
	return nil
}

// nuspecOf returns the manifest in a package.
func nuspecOf(pkg []byte) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		return nil, err
	}
	for _, f := range archive.File {
		if path.Ext(f.Name) != ".nuspec" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return io.ReadAll(r)
	}
	return nil, errors.New("no .nuspec in the package")
}
