package graph

import (
	"context"
	"errors"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/owner"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/tag"
	"entrepot/graph/model"
	"entrepot/registry"
)

// nodes returns rows of any kind by id, nil for what is not there or hidden.
// Rows of one kind are read with one statement.
func (a *API) nodes(ctx context.Context, ids []int64) ([]ent.Noder, error) {
	// ent would add an error to the answer for each row it does not find.
	var failure error
	aside := graphql.WithResponseContext(ctx, func(ctx context.Context, err error) *gqlerror.Error {
		shown := graphql.DefaultErrorPresenter(ctx, err)
		if shown.Extensions["code"] != string(registry.NotFound) && !ent.IsNotFound(err) {
			failure = err
		}
		return shown
	}, graphql.DefaultRecover)
	nodes, err := a.client().Noders(aside, ids)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	if nodes == nil {
		nodes = make([]ent.Noder, len(ids))
	}
	return nodes, failure
}

func (a *API) findOwner(ctx context.Context, name string) (*ent.Owner, error) {
	if len(name) > access.MaxOwnerName {
		return nil, nil
	}
	q, err := a.client().Owner.Query().Where(owner.NormalizedName(strings.ToLower(name))).CollectFields(ctx, "Owner", "Node")
	if err != nil {
		return nil, err
	}
	return maskNotFound(q.Only(ctx))
}

// wholeOwner is findOwner for resolvers that need the owner and do not answer
// with it: no selection of the request says which of its fields to read.
func (a *API) wholeOwner(ctx context.Context, name string) (*ent.Owner, error) {
	return maskNotFound(a.client().Owner.Query().Where(owner.NormalizedName(strings.ToLower(name))).Only(ctx))
}

// findPackage finds a package by its name in either form. Where one package's
// name is another's normalized name, the latter is found.
func (a *API) findPackage(ctx context.Context, ownerName, typ, name string) (*ent.Pkg, error) {
	if len(ownerName) > access.MaxOwnerName {
		return nil, nil
	}
	q, err := a.client().Pkg.Query().
		Where(
			pkg.HasOwnerWith(owner.NormalizedName(strings.ToLower(ownerName))),
			pkg.Type(typ),
			pkg.Or(pkg.NormalizedNameIn(name, strings.ToLower(name)), pkg.Name(name)),
		).
		Order(exactFirst(pkg.FieldNormalizedName, pkg.FieldName, name)).
		CollectFields(ctx, "Package", "Node")
	if err != nil {
		return nil, err
	}
	return maskNotFound(q.First(ctx))
}

// findVersion finds a version of the package by its name in either form, or by
// a tag.
func (a *API) findVersion(ctx context.Context, p *ent.Pkg, name string) (*ent.PackageVersion, error) {
	q, err := a.client().PackageVersion.Query().
		Where(
			packageversion.PackageID(p.ID),
			packageversion.Or(
				packageversion.NormalizedVersion(name),
				packageversion.Version(name),
				packageversion.HasTagsWith(tag.PackageID(p.ID), tag.Name(name)),
			),
		).
		Order(exactFirst(packageversion.FieldNormalizedVersion, packageversion.FieldVersion, name)).
		CollectFields(ctx, "PackageVersion", "Node")
	if err != nil {
		return nil, err
	}
	return maskNotFound(q.First(ctx))
}

// exactFirst orders rows: those whose first column is the value, then those
// whose second is, then the others.
func exactFirst(first, second, value string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.OrderExpr(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString("CASE WHEN ").Ident(s.C(first)).WriteString(" = ").Arg(value).WriteString(" THEN 0 WHEN ").
				Ident(s.C(second)).WriteString(" = ").Arg(value).WriteString(" THEN 1 ELSE 2 END")
		}), sql.ExprFunc(func(b *sql.Builder) { b.Ident(s.C("id")) }))
	}
}

// findNeeded finds the package that a dependency names, under the same owner.
func (a *API) findNeeded(ctx context.Context, d *model.Dependency) (*ent.Pkg, error) {
	r := rowsFrom(ctx)
	p, err := r.packageOfVersion(ctx, d.Version)
	if err != nil {
		return nil, err
	}
	near, err := r.neededKeys(ctx, d.Version)
	if err != nil {
		return nil, err
	}
	return r.needed.get(ctx, packageKey{p.OwnerID, p.Type, d.Name}, near)
}

// neededKeys names the packages that the version and its siblings need.
func (r *rows) neededKeys(ctx context.Context, v *ent.PackageVersion) ([]packageKey, error) {
	r.versions.mu.Lock()
	list := r.versions.lists[v.ID]
	r.versions.mu.Unlock()
	if list == nil {
		list = []*ent.PackageVersion{v}
	}
	var all []packageKey
	for _, v := range list {
		if len(v.Dependencies) == 0 {
			continue
		}
		p, err := r.packageOfVersion(ctx, v)
		if err != nil {
			return nil, err
		}
		for _, d := range v.Dependencies {
			all = append(all, packageKey{p.OwnerID, p.Type, d.Name})
		}
	}
	return all, nil
}

// facts asks the package's type what it shows of a version.
func (a *API) facts(ctx context.Context, v *ent.PackageVersion) ([]*registry.Fact, error) {
	p, err := rowsFrom(ctx).packageOfVersion(ctx, v)
	if err != nil {
		return nil, err
	}
	t, ok := a.opts.Registry.Type(p.Type)
	if !ok {
		return []*registry.Fact{}, nil
	}
	facts := []registry.Fact{}
	if t.Facts != nil {
		facts, err = t.Facts(v)
	}
	if err == nil && t.StoredFacts != nil {
		var stored []registry.Fact
		stored, err = t.StoredFacts(ctx, a.opts.Registry.Holdings(p), v)
		facts = append(facts, stored...)
	}
	if e, told := errors.AsType[*registry.Error](err); told {
		// The client asked for nothing wrong: what is stored is.
		return nil, errors.New(e.Message)
	}
	return pointers(facts), err
}
