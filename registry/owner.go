package registry

import (
	"context"
	"fmt"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/membership"
	"entrepot/ent/owner"
	"entrepot/ent/pkg"
	"entrepot/ent/property"
	"entrepot/ent/schema"
	"entrepot/ent/user"
)

// OwnerRole returns the owner of that name and the viewer's role on it, if the
// viewer may do the action there. Errors are those of Enter.
func (r *Registry) OwnerRole(ctx context.Context, name string, action access.Action) (*ent.Owner, access.Role, error) {
	v := access.FromContext(ctx)
	o, err := r.owner(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	if o == nil {
		return nil, 0, hidden(v, "owner")
	}
	role, err := r.role(ctx, v, o)
	if err != nil {
		return nil, 0, err
	}
	d := access.Decide(v, action, access.Target{OwnerVisibility: access.Visibility(o.Visibility), Role: role})
	return o, role, refusal(v, action, d, "owner")
}

// OwnerNames lists the names of all owners. It is for the server's own work.
func (r *Registry) OwnerNames(ctx context.Context) ([]string, error) {
	if v := access.FromContext(ctx); v.Kind != access.System {
		return nil, Errorf(Forbidden, "only the server itself lists all owners")
	}
	names, err := r.db.Owner.Query().Order(ent.Asc(owner.FieldNormalizedName)).Select(owner.FieldName).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("list owners: %w", err)
	}
	return names, nil
}

// CreateOrganization makes an organization whose first owner is the user.
// Errors: Conflict when the name is taken in any case, Invalid for a name no
// owner can have, NotFound for an unknown user.
func (r *Registry) CreateOrganization(ctx context.Context, name string, vis access.Visibility, firstOwner string) (*ent.Owner, error) {
	v := access.FromContext(ctx)
	if v.Kind == access.Anonymous {
		return nil, Errorf(Unauthenticated, "sign in to create an organization")
	}
	if v.Kind == access.User {
		if !v.Has(access.AdminOwner) {
			return nil, Errorf(Forbidden, "the token lacks the scope %s", access.AdminOwner)
		}
		if !v.SiteAdmin && !strings.EqualFold(v.Login, firstOwner) {
			return nil, Errorf(Forbidden, "only a site administrator creates organizations for others")
		}
	}
	if !access.ValidOwnerName(name) {
		return nil, FieldErrorf("name", "%q cannot be the name of an owner: use letters, digits and single - _ . between them", name)
	}
	if owner.VisibilityValidator(owner.Visibility(vis)) != nil {
		return nil, FieldErrorf("visibility", "there is no visibility %q", vis)
	}
	var made *ent.Owner
	err := r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		u, err := userByLogin(ctx, tx, firstOwner)
		if err != nil {
			return err
		}
		made, err = tx.Owner.Create().
			SetName(name).
			SetNormalizedName(strings.ToLower(name)).
			SetKind(owner.KindOrganization).
			SetVisibility(owner.Visibility(vis)).
			Save(ctx)
		if ent.IsConstraintError(err) {
			return &Error{Code: Conflict, Field: "name", Message: fmt.Sprintf("the name %q is taken", name)}
		}
		if err != nil {
			return fmt.Errorf("insert owner: %w", err)
		}
		if err := tx.Membership.Create().SetOwnerID(made.ID).SetUserID(u.ID).SetRole(membership.RoleOwner).Exec(ctx); err != nil {
			return fmt.Errorf("insert membership: %w", err)
		}
		return record(ctx, tx, v, EventOwnerCreated, made.ID, nil, map[string]any{"name": name, "visibility": vis})
	})
	return made, err
}

func userByLogin(ctx context.Context, tx *ent.Tx, login string) (*ent.User, error) {
	u, err := tx.User.Query().Where(user.NormalizedLogin(strings.ToLower(login))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, &Error{Code: NotFound, Field: "user", Message: fmt.Sprintf("there is no user %q", login)}
	}
	return u, err
}

// OwnerChange holds what UpdateOwner changes; nil leaves a thing as it is.
type OwnerChange struct {
	Visibility  *access.Visibility
	DisplayName *string
	Description *string
	// GenericOverwrite replaces the owner's rules.
	GenericOverwrite *[]schema.OverwriteRule
	// ContainerSparseIndex and ContainerImmutableTags are those of
	// schema.OwnerSettings.
	ContainerSparseIndex   *bool
	ContainerImmutableTags *[]string
	// MavenRedeploy replaces the owner's rules; the others are those of
	// schema.OwnerSettings.
	MavenRedeploy   *[]schema.OverwriteRule
	MavenVersions   *string
	MavenKeepBuilds *int
	MavenKeepDays   *int
	// NuGetDelete is that of schema.OwnerSettings.
	NuGetDelete *string
	// The settings of Conan are those of schema.OwnerSettings.
	ConanImmutableRevisions *bool
	ConanKeepRecipes        *int
	ConanKeepPackages       *int
	ConanReferenceSize      *int64
	// CleanupUntaggedDays is that of schema.OwnerSettings.
	CleanupUntaggedDays *int
}

// settings are the owner's with the changes.
func (c OwnerChange) settings(s schema.OwnerSettings) schema.OwnerSettings {
	if c.GenericOverwrite != nil {
		s.GenericOverwrite = *c.GenericOverwrite
	}
	if c.ContainerSparseIndex != nil {
		s.ContainerSparseIndex = *c.ContainerSparseIndex
	}
	if c.ContainerImmutableTags != nil {
		s.ContainerImmutableTags = *c.ContainerImmutableTags
	}
	if c.MavenRedeploy != nil {
		s.MavenRedeploy = *c.MavenRedeploy
	}
	if c.MavenVersions != nil {
		s.MavenVersions = *c.MavenVersions
	}
	if c.MavenKeepBuilds != nil {
		s.MavenKeepBuilds = *c.MavenKeepBuilds
	}
	if c.MavenKeepDays != nil {
		s.MavenKeepDays = *c.MavenKeepDays
	}
	if c.NuGetDelete != nil {
		s.NuGetDelete = *c.NuGetDelete
	}
	if c.ConanImmutableRevisions != nil {
		s.ConanImmutableRevisions = *c.ConanImmutableRevisions
	}
	if c.ConanKeepRecipes != nil {
		s.ConanKeepRecipes = *c.ConanKeepRecipes
	}
	if c.ConanKeepPackages != nil {
		s.ConanKeepPackages = *c.ConanKeepPackages
	}
	if c.ConanReferenceSize != nil {
		s.ConanReferenceSize = *c.ConanReferenceSize
	}
	if c.CleanupUntaggedDays != nil {
		s.CleanupUntaggedDays = c.CleanupUntaggedDays
	}
	return s
}

// UpdateOwner changes an owner's settings; the viewer must administer it.
func (r *Registry) UpdateOwner(ctx context.Context, name string, c OwnerChange) (*ent.Owner, error) {
	o, _, err := r.OwnerRole(ctx, name, access.Administer)
	if err != nil {
		return nil, err
	}
	for _, t := range []struct {
		field string
		text  *string
		limit int
	}{{"displayName", c.DisplayName, 200}, {"description", c.Description, 2000}} {
		if t.text != nil && (!storableText(*t.text) || len(*t.text) > t.limit) {
			return nil, FieldErrorf(t.field, "want at most %d bytes of text", t.limit)
		}
	}
	if c.Visibility != nil && owner.VisibilityValidator(owner.Visibility(*c.Visibility)) != nil {
		return nil, FieldErrorf("visibility", "there is no visibility %q", *c.Visibility)
	}
	v := access.FromContext(ctx)
	var changed *ent.Owner
	err = r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		u := tx.Owner.UpdateOneID(o.ID).SetNillableDisplayName(c.DisplayName).SetNillableDescription(c.Description)
		if c.Visibility != nil {
			u.SetVisibility(owner.Visibility(*c.Visibility))
		}
		now, err := tx.Owner.Get(ctx, o.ID)
		if err != nil {
			return fmt.Errorf("read owner: %w", err)
		}
		if changed, err = u.SetSettings(c.settings(now.Settings)).Save(ctx); err != nil {
			return fmt.Errorf("update owner: %w", err)
		}
		if err := r.relistOwner(ctx, tx, now, changed); err != nil {
			return err
		}
		return record(ctx, tx, v, EventOwnerChanged, o.ID, nil, c)
	})
	return changed, err
}

// DeleteOrganization removes an organization that holds no package.
func (r *Registry) DeleteOrganization(ctx context.Context, name string) error {
	o, err := r.organization(ctx, name)
	if err != nil {
		return err
	}
	v := access.FromContext(ctx)
	return r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		holds, err := tx.Pkg.Query().Where(pkg.OwnerID(o.ID), pkg.VersionCountGT(0)).Exist(ctx)
		if err != nil {
			return err
		}
		if holds {
			return Errorf(Conflict, "%s still holds packages; delete them first", o.Name)
		}
		if err := removeHiddenPackages(ctx, tx, o); err != nil {
			return err
		}
		if err := removeIndexes(ctx, tx, o); err != nil {
			return err
		}
		if _, err := tx.Membership.Delete().Where(membership.OwnerID(o.ID)).Exec(ctx); err != nil {
			return err
		}
		if err := removeCleanup(ctx, tx, o); err != nil {
			return err
		}
		if _, err := tx.Property.Delete().Where(property.RefTypeEQ(property.RefTypeOwner), property.RefID(o.ID)).Exec(ctx); err != nil {
			return fmt.Errorf("remove tombstones: %w", err)
		}
		if err := tx.Owner.DeleteOneID(o.ID).Exec(ctx); err != nil {
			return err
		}
		return record(ctx, tx, v, EventOwnerDeleted, o.ID, nil, map[string]any{"name": o.Name})
	})
}

// organization returns the organization of that name for a viewer who
// administers it.
func (r *Registry) organization(ctx context.Context, name string) (*ent.Owner, error) {
	o, _, err := r.OwnerRole(ctx, name, access.Administer)
	if err != nil {
		return nil, err
	}
	if o.Kind != owner.KindOrganization {
		return nil, FieldErrorf("organization", "%s is a user, not an organization", o.Name)
	}
	return o, nil
}

// SetMember gives a user a role in an organization, which the viewer must
// administer. The last owner keeps the role.
func (r *Registry) SetMember(ctx context.Context, organization, login string, role membership.Role) (*ent.Membership, error) {
	o, err := r.organization(ctx, organization)
	if err != nil {
		return nil, err
	}
	if membership.RoleValidator(role) != nil {
		return nil, FieldErrorf("role", "there is no role %q", role)
	}
	v := access.FromContext(ctx)
	var m *ent.Membership
	err = r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		u, err := userByLogin(ctx, tx, login)
		if err != nil {
			return err
		}
		id, err := tx.Membership.Create().SetOwnerID(o.ID).SetUserID(u.ID).SetRole(role).
			OnConflictColumns(membership.FieldOwnerID, membership.FieldUserID).
			Update(func(up *ent.MembershipUpsert) { up.SetRole(role) }).
			ID(ctx)
		if err != nil {
			return fmt.Errorf("set member: %w", err)
		}
		if err := keepAnOwner(ctx, tx, o); err != nil {
			return err
		}
		if m, err = tx.Membership.Get(ctx, id); err != nil {
			return err
		}
		return record(ctx, tx, v, EventMemberChanged, o.ID, nil, map[string]any{"user": u.Login, "role": role})
	})
	return m, err
}

// RemoveMember takes a user out of an organization. Members may leave by
// themselves; the last owner may not.
func (r *Registry) RemoveMember(ctx context.Context, organization, login string) error {
	v := access.FromContext(ctx)
	action := access.Administer
	if v.Kind == access.User && strings.EqualFold(v.Login, login) && v.Has(access.AdminOwner) {
		action = access.Read
	}
	o, _, err := r.OwnerRole(ctx, organization, action)
	if err != nil {
		return err
	}
	return r.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		u, err := userByLogin(ctx, tx, login)
		if err != nil {
			return err
		}
		n, err := tx.Membership.Delete().Where(membership.OwnerID(o.ID), membership.UserID(u.ID)).Exec(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return &Error{Code: NotFound, Field: "user", Message: fmt.Sprintf("%s is no member of %s", login, o.Name)}
		}
		if err := keepAnOwner(ctx, tx, o); err != nil {
			return err
		}
		return record(ctx, tx, v, EventMemberRemoved, o.ID, nil, map[string]any{"user": u.Login})
	})
}

func keepAnOwner(ctx context.Context, tx *ent.Tx, o *ent.Owner) error {
	// Locking the owner's row makes two who leave at once wait for each other.
	if err := tx.Owner.UpdateOneID(o.ID).SetUpdatedAt(now()).Exec(ctx); err != nil {
		return err
	}
	left, err := tx.Membership.Query().Where(membership.OwnerID(o.ID), membership.RoleEQ(membership.RoleOwner)).Exist(ctx)
	if err != nil {
		return err
	}
	if !left {
		return &Error{Code: Conflict, Field: "role", Message: fmt.Sprintf("%s needs at least one owner", o.Name)}
	}
	return nil
}
