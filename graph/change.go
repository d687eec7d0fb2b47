package graph

import (
	"context"
	"fmt"
	"path"
	"strings"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/ent"
	"entrepot/ent/schema"
	"entrepot/graph/model"
	"entrepot/registry"
)

// The bounds of what mutations take.
const (
	maxReason  = 2000
	maxRules   = 100
	maxPattern = 200
	maxKept    = 100_000 // builds, or days
)

// createToken makes a token for the viewer, or for the user that is named.
func (a *API) createToken(ctx context.Context, in model.CreateTokenInput) (string, *ent.Token, error) {
	scopes, unknown := access.ParseScopes(in.Scopes)
	if unknown != "" {
		return "", nil, registry.FieldErrorf("scopes", "there is no scope %.60q", unknown)
	}
	n := auth.NewToken{Name: in.Name, Scopes: scopes, ExpiresAt: in.ExpiresAt}
	if in.User != nil {
		return a.opts.Auth.CreateTokenFor(ctx, *in.User, n)
	}
	return a.opts.Auth.CreateToken(ctx, n)
}

// ownerChange checks what is to become of an owner.
func ownerChange(in model.UpdateOwnerInput) (registry.OwnerChange, error) {
	c := registry.OwnerChange{DisplayName: in.DisplayName, Description: in.Description}
	if in.Visibility != nil {
		vis := access.Visibility(*in.Visibility)
		c.Visibility = &vis
	}
	c.ContainerSparseIndex = in.ContainerSparseIndex
	if in.ContainerImmutableTags != nil {
		if err := checkTagPatterns(in.ContainerImmutableTags); err != nil {
			return c, err
		}
		c.ContainerImmutableTags = &in.ContainerImmutableTags
	}
	if in.GenericOverwrite != nil {
		rules, err := newOverwriteRules("genericOverwrite", in.GenericOverwrite)
		if err != nil {
			return c, err
		}
		c.GenericOverwrite = &rules
	}
	if in.NugetDelete != nil {
		does := nugetDeletes[*in.NugetDelete]
		c.NuGetDelete = &does
	}
	if d := in.CleanupUntaggedDays; d != nil && (*d < 0 || *d > maxKept) {
		return c, registry.FieldErrorf("cleanupUntaggedDays", "want a number from 0 to %d", maxKept)
	}
	c.CleanupUntaggedDays = in.CleanupUntaggedDays
	if err := conanChange(in, &c); err != nil {
		return c, err
	}
	err := mavenChange(in, &c)
	return c, err
}

// conanChange checks what is to become of an owner's Conan packages.
func conanChange(in model.UpdateOwnerInput, c *registry.OwnerChange) error {
	for field, n := range map[string]*int{"conanKeepRecipes": in.ConanKeepRecipes, "conanKeepPackages": in.ConanKeepPackages} {
		if n != nil && (*n < 0 || *n > maxKept) {
			return registry.FieldErrorf(field, "want a number from 0 to %d", maxKept)
		}
	}
	if n := in.ConanReferenceSize; n != nil && *n < 0 {
		return registry.FieldErrorf("conanReferenceSize", "want 0 or more bytes")
	}
	c.ConanImmutableRevisions, c.ConanReferenceSize = in.ConanImmutableRevisions, in.ConanReferenceSize
	c.ConanKeepRecipes, c.ConanKeepPackages = in.ConanKeepRecipes, in.ConanKeepPackages
	return nil
}

// mavenChange checks what is to become of an owner's Maven packages.
func mavenChange(in model.UpdateOwnerInput, c *registry.OwnerChange) error {
	if in.MavenRedeploy != nil {
		rules, err := newOverwriteRules("mavenRedeploy", in.MavenRedeploy)
		if err != nil {
			return err
		}
		c.MavenRedeploy = &rules
	}
	if in.MavenVersions != nil {
		kinds := mavenVersions[*in.MavenVersions]
		c.MavenVersions = &kinds
	}
	for field, n := range map[string]*int{"mavenKeepBuilds": in.MavenKeepBuilds, "mavenKeepDays": in.MavenKeepDays} {
		if n != nil && (*n < 0 || *n > maxKept) {
			return registry.FieldErrorf(field, "want a number from 0 to %d", maxKept)
		}
	}
	c.MavenKeepBuilds, c.MavenKeepDays = in.MavenKeepBuilds, in.MavenKeepDays
	return nil
}

func newOverwriteRules(field string, in []*model.OverwriteRuleInput) ([]schema.OverwriteRule, error) {
	if len(in) > maxRules {
		return nil, registry.FieldErrorf(field, "an owner has at most %d rules", maxRules)
	}
	rules := []schema.OverwriteRule{}
	for _, rule := range in {
		if !validPattern(rule.Pattern) {
			return nil, registry.FieldErrorf(field, "%.60q is not a pattern of at most %d bytes", rule.Pattern, maxPattern)
		}
		rules = append(rules, schema.OverwriteRule{Pattern: rule.Pattern, Mode: overwriteModes[rule.Mode]})
	}
	return rules, nil
}

// checkTagPatterns checks patterns "image:tag".
func checkTagPatterns(patterns []string) error {
	const field = "containerImmutableTags"
	if len(patterns) > maxRules {
		return registry.FieldErrorf(field, "an owner has at most %d patterns", maxRules)
	}
	for _, pattern := range patterns {
		image, tag, ok := strings.Cut(pattern, ":")
		if !ok || !validPattern(image) || !validPattern(tag) {
			return registry.FieldErrorf(field, "%.60q is not a pattern image:tag", pattern)
		}
	}
	return nil
}

func validPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil && pattern != "" && len(pattern) <= maxPattern
}

// checkTag tells whether versions of the type may have the tag.
func checkTag(t registry.Type, name string) error {
	if t.CheckTag == nil {
		return registry.FieldErrorf("tag", "versions of %s packages have no tags", t.Title)
	}
	if err := t.CheckTag(name); err != nil {
		return registry.FieldErrorf("tag", "%v", err)
	}
	return nil
}

func removeTag(ctx context.Context, s *registry.Space, p *ent.Pkg, name string) error {
	found, err := s.RemoveTag(ctx, p, name)
	if err == nil && !found {
		err = &registry.Error{Code: registry.NotFound, Field: "tag", Message: "tag not found"}
	}
	return err
}

// uploader returns who publishes single files of the type.
func (a *API) uploader(typ string) (Uploader, error) {
	if u := a.opts.Uploaders[typ]; u != nil {
		return u, nil
	}
	return nil, registry.FieldErrorf("type", "files of %.60q packages are not published and deleted one by one", typ)
}

// uploaded publishes a file while it arrives and returns what it became.
func (a *API) uploaded(ctx context.Context, in model.UploadFileInput) (*model.UploadFilePayload, error) {
	u, err := a.uploader(in.Type)
	if err != nil {
		return nil, err
	}
	s, err := a.opts.Registry.Enter(ctx, in.Owner, in.Type, access.Write)
	if err != nil {
		return nil, err
	}
	body, err := in.File.Open()
	if err != nil {
		return nil, err
	}
	name := in.File.Filename
	if in.Name != nil {
		name = *in.Name
	}
	done, err := u.Upload(ctx, s, UploadedFile{Package: in.Package, Version: in.Version, Name: name, Body: body})
	if err != nil {
		return nil, err
	}
	if len(done.Files) != 1 {
		return nil, fmt.Errorf("upload of one file published %d", len(done.Files))
	}
	var out model.UploadFilePayload
	if out.File, err = a.fileAgain(ctx, done.Files[0].ID); err != nil {
		return nil, err
	}
	if out.Version, err = a.versionAgain(ctx, done.Version.ID); err != nil {
		return nil, err
	}
	out.Package, err = a.packageAgain(ctx, done.Package.ID)
	return &out, err
}
