package registry

import (
	"context"
	"fmt"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/membership"
	"entrepot/ent/owner"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/schema"
)

// Space is the packages of one type under one owner, as one viewer may use
// them. It is made for one request.
type Space struct {
	// Owner is the namespace.
	Owner *ent.Owner
	// Type is the package type.
	Type Type
	// Viewer is who asks.
	Viewer access.Viewer
	// Role is the viewer's on the owner.
	Role access.Role

	reg *Registry
	// ahead is what the request will ask for, where that is known.
	ahead *ahead
}

// Enter opens the space of an owner and a type for the viewer in the context,
// who must be allowed the action on the owner. Errors: Unauthenticated for an
// anonymous viewer, whether the owner is unknown or hidden; NotFound for
// anybody else who may not know it; Forbidden for who may read alone.
func (r *Registry) Enter(ctx context.Context, ownerName, typeName string, action access.Action) (*Space, error) {
	v := access.FromContext(ctx)
	t, ok := r.types[typeName]
	if !ok {
		return nil, Errorf(NotFound, "there is no package type %q", typeName)
	}
	s := &Space{Type: t, Viewer: v, reg: r}
	o, err := r.owner(ctx, ownerName)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, hidden(v, "owner")
	}
	s.Owner = o
	if s.Role, err = r.role(ctx, v, o); err != nil {
		return nil, err
	}
	return s, s.check(action, "")
}

// target is the owner, or a package of it with its own visibility.
func (s *Space) target(vis pkg.Visibility) access.Target {
	return access.Target{
		OwnerVisibility:   access.Visibility(s.Owner.Visibility),
		PackageVisibility: access.Visibility(vis),
		Role:              s.Role,
	}
}

func (s *Space) check(action access.Action, vis pkg.Visibility) error {
	what := "owner"
	if vis != "" {
		what = "package"
	}
	return refusal(s.Viewer, action, access.Decide(s.Viewer, action, s.target(vis)), what)
}

// Can tells whether the viewer may do something to a package of the space, or
// to the owner when p is nil.
func (s *Space) Can(action access.Action, p *ent.Pkg) bool {
	vis := pkg.Visibility("")
	if p != nil {
		vis = p.Visibility
	}
	return s.check(action, vis) == nil
}

// refusal turns a decision into the error the viewer gets, or nil.
func refusal(v access.Viewer, action access.Action, d access.Decision, what string) error {
	switch {
	case d.Allowed:
		return nil
	case !d.Known:
		return hidden(v, what)
	case !v.SignedIn():
		return &Error{Code: Unauthenticated, Message: "sign in to " + action.String() + " here", Rule: d.Rule}
	case d.Rule == access.RuleTokenScope:
		return &Error{Code: Forbidden, Message: "the token lacks the scope " + string(action.Scope()), Rule: d.Rule}
	default:
		return &Error{Code: Forbidden, Message: "your role on this owner does not allow you to " + action.String(), Rule: d.Rule}
	}
}

// hidden is the answer to who may not know whether a thing exists: the same
// as for one that does not.
func hidden(v access.Viewer, what string) error {
	if !v.SignedIn() {
		return &Error{Code: Unauthenticated, Message: "authentication required", Rule: access.RuleNotVisible}
	}
	return &Error{Code: NotFound, Message: what + " not found", Rule: access.RuleNotVisible}
}

// role is what the viewer is to the owner.
func (r *Registry) role(ctx context.Context, v access.Viewer, o *ent.Owner) (access.Role, error) {
	if v.Kind != access.User {
		return access.NoRole, nil
	}
	if o.Kind == owner.KindUser {
		if !strings.EqualFold(o.Name, v.Login) {
			return access.NoRole, nil
		}
		var one int
		own, err := r.db.Row(ctx, userOfOwner, []any{v.UserID, o.ID}, &one)
		if err != nil {
			return access.NoRole, fmt.Errorf("look up account: %w", err)
		}
		if !own {
			return access.NoRole, nil
		}
		return access.Admin, nil
	}
	var role membership.Role
	if _, err := r.db.Row(ctx, roleOfUser, []any{o.ID, v.UserID}, &role); err != nil {
		return access.NoRole, fmt.Errorf("look up role: %w", err)
	}
	return roles[role], nil // NoRole without a row
}

var roles = map[membership.Role]access.Role{
	membership.RoleOwner:  access.Admin,
	membership.RoleWriter: access.Writer,
	membership.RoleReader: access.Reader,
}

// Package returns a package of the space by its normalized name, if the
// viewer may do the action to it. A package without a published version is
// not found. An anonymous viewer who misses one gets Unauthenticated when the
// owner holds any package of the type that is not public, so that hidden and
// missing look alike.
func (s *Space) Package(ctx context.Context, normalizedName string, action access.Action) (*ent.Pkg, error) {
	p, err := s.AnyPackage(ctx, normalizedName)
	if err != nil {
		return nil, err
	}
	if p != nil && p.VersionCount > 0 {
		d := access.Decide(s.Viewer, action, s.target(p.Visibility))
		if d.Allowed || d.Known {
			return p, refusal(s.Viewer, action, d, "package")
		}
	}
	return nil, s.missing(ctx, "package")
}

// missing is the answer to who asks for a thing that is not there, or that the
// viewer may not know of.
func (s *Space) missing(ctx context.Context, what string) error {
	if !s.Viewer.SignedIn() {
		hides, err := s.reg.db.Pkg.Query().
			Where(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name), pkg.VisibilityNotIn(pkg.VisibilityInherit, pkg.VisibilityPublic)).
			Exist(access.SystemContext(ctx))
		if err != nil {
			return err
		}
		if hides {
			return hidden(s.Viewer, what)
		}
	}
	return Errorf(NotFound, "%s not found", what)
}

// Version returns a published version of the package by its normalized
// version. The caller got the package from the space.
func (s *Space) Version(ctx context.Context, p *ent.Pkg, normalizedVersion string) (*ent.PackageVersion, error) {
	v, err := s.reg.db.PackageVersion.Query().
		Where(packageversion.PackageID(p.ID), packageversion.NormalizedVersion(normalizedVersion), published).
		Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, Errorf(NotFound, "version not found")
	}
	if err != nil {
		return nil, fmt.Errorf("look up version: %w", err)
	}
	return v, nil
}

// Client reads the space's rows without a filter: the caller has got the
// package it reads below from the space. The context it is used with is
// access.SystemContext's.
func (s *Space) Client() *ent.Client { return s.reg.db.Client }

// Registry is the registry the space belongs to.
func (s *Space) Registry() *Registry { return s.reg }

// OverwriteMode returns what the owner allows for files of the generic
// package of that name.
func OverwriteMode(settings schema.OwnerSettings, match func(pattern string) bool) Overwrite {
	return OverwriteBy(settings.GenericOverwrite, match)
}

// OverwriteBy returns what the first of the rules that matches allows, and
// nothing when none does.
func OverwriteBy(rules []schema.OverwriteRule, match func(pattern string) bool) Overwrite {
	for _, rule := range rules {
		if !match(rule.Pattern) {
			continue
		}
		switch rule.Mode {
		case "identical":
			return OverwriteIdentical
		case "always":
			return OverwriteAlways
		}
		return OverwriteNever
	}
	return OverwriteNever
}
