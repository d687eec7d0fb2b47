package graph

import (
	"context"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/membership"
	"entrepot/ent/owner"
	"entrepot/ent/predicate"
	"entrepot/ent/schema"
	"entrepot/ent/user"
	"entrepot/graph/model"
	"entrepot/registry"
)

// member is the account behind a membership, of which only the names are for
// all members.
func (a *API) member(ctx context.Context, m *ent.Membership) (*ent.User, error) {
	rows := rowsFrom(ctx)
	u, err := rows.userOf.get(ctx, m.UserID, rows.memberIDs(m.ID))
	if err == nil && u == nil {
		err = registry.Errorf(registry.NotFound, "user not found")
	}
	return u, err
}

// roleName is a role as the API calls it; nil is none.
func roleName(role access.Role) *membership.Role {
	for name, r := range roles {
		if r == role {
			return &name
		}
	}
	return nil
}

// readableByAll tells whether anybody may read what is the owner's.
func readableByAll(o *ent.Owner) bool { return o.Visibility == owner.VisibilityPublic }

// ownedBy matches the owners that are the viewer's: his namespace and the
// organizations he is a member of.
func ownedBy(v access.Viewer, writable bool) predicate.Owner {
	mine := []predicate.Membership{membership.UserID(v.UserID)}
	if writable {
		mine = append(mine, membership.RoleIn(membership.RoleOwner, membership.RoleWriter))
		if !v.Has(access.WritePackage) {
			return owner.IDLT(0)
		}
	}
	return owner.Or(owner.HasUserWith(user.ID(v.UserID)), owner.HasMembershipsWith(mine...))
}

// ownerOrder is by name when nothing is said.
func ownerOrder(order *ent.OwnerOrder) *ent.OwnerOrder {
	if order == nil {
		order = &ent.OwnerOrder{Direction: "ASC", Field: ent.OwnerOrderFieldName}
	}
	return order
}

// shownTo returns the value if the viewer may see it: a thing that is told to
// the user and to site administrators alone.
func shownTo[T any](ctx context.Context, u *ent.User, value *T) *T {
	v := access.FromContext(ctx)
	if v.Kind == access.User && v.UserID == u.ID || v.SiteAdmin && v.Has(access.AdminSite) {
		return value
	}
	return nil
}

// scopeNames are scopes as text.
func scopeNames(scopes []access.Scope) []string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return names
}

// administers tells whether the viewer may see the owner's settings.
func (a *API) administers(ctx context.Context, o *ent.Owner) (bool, error) {
	t, err := rowsFrom(ctx).ownerTarget(ctx, o)
	return err == nil && access.Can(access.FromContext(ctx), access.Administer, t), err
}

// administered is a setting of an owner for who administers it, and nil for
// everybody else.
func administered[T any](ctx context.Context, a *API, o *ent.Owner, setting T) (*T, error) {
	administers, err := a.administers(ctx, o)
	if !administers {
		return nil, err
	}
	return &setting, nil
}

var overwriteModes = map[model.OverwriteMode]string{
	model.OverwriteModeNever:     "never",
	model.OverwriteModeIdentical: "identical",
	model.OverwriteModeAlways:    "always",
}

// mavenVersions are the kinds as they are stored.
var mavenVersions = map[model.MavenVersions]string{
	model.MavenVersionsAll:       "",
	model.MavenVersionsReleases:  schema.MavenReleases,
	model.MavenVersionsSnapshots: schema.MavenSnapshots,
}

// shownMavenVersions are the kinds an owner takes as the API shows them.
func shownMavenVersions(s schema.OwnerSettings) *model.MavenVersions {
	for shown, stored := range mavenVersions {
		if stored == s.MavenVersions {
			return &shown
		}
	}
	return nil
}

// nugetDeletes are what a deletion does as it is stored.
var nugetDeletes = map[model.NugetDelete]string{
	model.NugetDeleteDelete: "",
	model.NugetDeleteUnlist: schema.NuGetUnlists,
}

// shownNugetDelete is what a deletion does as the API shows it.
func shownNugetDelete(s schema.OwnerSettings) *model.NugetDelete {
	for shown, stored := range nugetDeletes {
		if stored == s.NuGetDelete {
			return &shown
		}
	}
	return nil
}

// overwriteRules are rules of an owner's as the API shows them.
func overwriteRules(rules []schema.OverwriteRule) []*model.OverwriteRule {
	list := make([]*model.OverwriteRule, 0, len(rules))
	for _, rule := range rules {
		shown := &model.OverwriteRule{Pattern: rule.Pattern, Mode: model.OverwriteModeNever}
		for mode, stored := range overwriteModes {
			if stored == rule.Mode {
				shown.Mode = mode
			}
		}
		list = append(list, shown)
	}
	return list
}
