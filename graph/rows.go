package graph

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/membership"
	"entrepot/ent/owner"
	"entrepot/ent/packagefile"
	"entrepot/ent/pkg"
	"entrepot/ent/tag"
	"entrepot/ent/user"
	"entrepot/graph/model"
	"entrepot/registry"
)

// rows remembers, for one request, which rows were read together. When a
// resolver asks for what belongs to one of them, the answer is read for all of
// them with one statement: a page of a hundred costs what a page of one does.
// No timer waits for the others to ask, so it is the same every time.
type rows struct {
	client *ent.Client
	viewer access.Viewer

	owners      siblings[ent.Owner]
	packages    siblings[ent.Pkg]
	versions    siblings[ent.PackageVersion]
	memberships siblings[ent.Membership]

	viewerRoles   func(context.Context) (map[int64]access.Role, error)
	ownerOf       lookup[int64, *ent.Owner]
	packageOf     lookup[int64, *ent.Pkg]
	userOf        lookup[int64, *ent.User]
	visibleUserOf lookup[int64, *ent.User]
	typeCounts    lookup[int64, []*model.TypeCount]
	packageSizes  lookup[int64, int64]
	versionSizes  lookup[int64, versionSize]
	files         lookup[int64, []*ent.PackageFile]
	tagNames      lookup[int64, []string]
	needed        lookup[packageKey, *ent.Pkg]
}

// packageKey names a package as another one's dependency does.
type packageKey struct {
	ownerID   int64
	typ, name string
}

type rowsKey struct{}

// withRows returns a context in which rows are remembered from now on.
func (a *API) withRows(ctx context.Context) context.Context {
	r := &rows{client: a.client(), viewer: access.FromContext(ctx)}
	r.viewerRoles = once(r.loadViewerRoles)
	r.ownerOf.load = r.loadOwners
	r.packageOf.load = r.loadPackages
	r.userOf.load = r.loadUsers
	r.visibleUserOf.load = r.loadVisibleUsers
	r.typeCounts.load = a.loadTypeCounts
	r.packageSizes.load = a.loadPackageSizes
	r.versionSizes.load = a.loadVersionSizes
	r.files.load = r.loadFiles
	r.tagNames.load = r.loadTagNames
	r.needed.load = r.loadNeeded
	return context.WithValue(ctx, rowsKey{}, r)
}

// rowsFrom returns the request's rows; every operation runs with some.
func rowsFrom(ctx context.Context) *rows {
	r, _ := ctx.Value(rowsKey{}).(*rows)
	return r
}

// noteRows makes the client tell each request which rows its queries gave.
func noteRows(c *ent.Client) {
	c.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			value, err := next.Query(ctx, q)
			if r := rowsFrom(ctx); r != nil && err == nil {
				switch list := value.(type) {
				case []*ent.Owner:
					r.owners.note(list, func(o *ent.Owner) int64 { return o.ID })
				case []*ent.Pkg:
					r.packages.note(list, func(p *ent.Pkg) int64 { return p.ID })
				case []*ent.PackageVersion:
					r.versions.note(list, func(v *ent.PackageVersion) int64 { return v.ID })
				case []*ent.Membership:
					r.memberships.note(list, func(m *ent.Membership) int64 { return m.ID })
				}
			}
			return value, err
		})
	}))
}

// siblings are the lists that queries gave, by the rows in them.
type siblings[T any] struct {
	mu    sync.Mutex
	lists map[int64][]*T
}

func (s *siblings[T]) note(list []*T, id func(*T) int64) {
	if len(list) < 2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lists == nil {
		s.lists = map[int64][]*T{}
	}
	for _, row := range list {
		// The first list stays: a row that is read again on the way, as
		// somebody's latest version, keeps the company it came in.
		if _, noted := s.lists[id(row)]; !noted {
			s.lists[id(row)] = list
		}
	}
}

// keys returns one key for each row that was read together with the one whose
// id this is; a zero key is none.
func keys[T any, K comparable](s *siblings[T], id int64, key func(*T) K) []K {
	s.mu.Lock()
	list := s.lists[id]
	s.mu.Unlock()
	var zero K
	var all []K
	for _, row := range list {
		if k := key(row); k != zero {
			all = append(all, k)
		}
	}
	return all
}

// lookup answers by key, and asks the database for many keys at once.
type lookup[K comparable, V any] struct {
	load func(ctx context.Context, keys []K) (map[K]V, error)

	mu    sync.Mutex
	known map[K]V
}

// get returns the value of a key, the zero value when there is none. Values
// of the keys near it are read along. Whoever else asks meanwhile waits: it is
// most likely for the same statement.
func (l *lookup[K, V]) get(ctx context.Context, key K, near []K) (V, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.known[key]; ok {
		return v, nil
	}
	if l.known == nil {
		l.known = map[K]V{}
	}
	wanted, seen := []K{key}, map[K]bool{key: true}
	for _, k := range near {
		if _, known := l.known[k]; !known && !seen[k] {
			wanted, seen[k] = append(wanted, k), true
		}
	}
	// Databases limit the parameters of a statement.
	const chunk = 1000
	for start := 0; start < len(wanted); start += chunk {
		part := wanted[start:min(start+chunk, len(wanted))]
		found, err := l.load(ctx, part)
		if err != nil {
			var zero V
			return zero, err
		}
		for _, k := range part {
			l.known[k] = found[k]
		}
	}
	return l.known[key], nil
}

// once returns a function that calls f until it has succeeded.
func once[T any](f func(context.Context) (T, error)) func(context.Context) (T, error) {
	var mu sync.Mutex
	var done bool
	var value T
	return func(ctx context.Context) (T, error) {
		mu.Lock()
		defer mu.Unlock()
		if done {
			return value, nil
		}
		v, err := f(ctx)
		if err == nil {
			value, done = v, true
		}
		return v, err
	}
}

// What follows asks for one row's belongings, naming its siblings.

func (r *rows) ownerOfPackage(ctx context.Context, p *ent.Pkg) (*ent.Owner, error) {
	o, err := r.ownerOf.get(ctx, p.OwnerID, keys(&r.packages, p.ID, func(p *ent.Pkg) int64 { return p.OwnerID }))
	if err == nil && o == nil {
		return nil, registry.Errorf(registry.NotFound, "owner not found")
	}
	return o, err
}

func (r *rows) packageOfVersion(ctx context.Context, v *ent.PackageVersion) (*ent.Pkg, error) {
	p, err := r.packageOf.get(ctx, v.PackageID, keys(&r.versions, v.ID, func(v *ent.PackageVersion) int64 { return v.PackageID }))
	if err == nil && p == nil {
		return nil, registry.Errorf(registry.NotFound, "package not found")
	}
	return p, err
}

func (r *rows) ownerIDs(id int64) []int64 {
	return keys(&r.owners, id, func(o *ent.Owner) int64 { return o.ID })
}

func (r *rows) packageIDs(id int64) []int64 {
	return keys(&r.packages, id, func(p *ent.Pkg) int64 { return p.ID })
}

// memberIDs are the users of the membership's siblings.
func (r *rows) memberIDs(id int64) []int64 {
	return keys(&r.memberships, id, func(m *ent.Membership) int64 { return m.UserID })
}

func (r *rows) versionIDs(id int64) []int64 {
	return keys(&r.versions, id, func(v *ent.PackageVersion) int64 { return v.ID })
}

// latestIDs are the latest versions of the package's siblings.
func (r *rows) latestIDs(id int64) []int64 {
	return keys(&r.packages, id, func(p *ent.Pkg) int64 {
		if p.LatestID == nil {
			return 0
		}
		return *p.LatestID
	})
}

// target is what access decides about for a package.
func (r *rows) target(ctx context.Context, p *ent.Pkg) (access.Target, error) {
	o, err := r.ownerOfPackage(ctx, p)
	if err != nil {
		return access.Target{}, err
	}
	t, err := r.ownerTarget(ctx, o)
	t.PackageVisibility = access.Visibility(p.Visibility)
	return t, err
}

// ownerTarget is what access decides about for an owner.
func (r *rows) ownerTarget(ctx context.Context, o *ent.Owner) (access.Target, error) {
	roles, err := r.viewerRoles(ctx)
	return access.Target{OwnerVisibility: access.Visibility(o.Visibility), Role: roles[o.ID]}, err
}

// The loaders run as the system: the rows they belong to were visible.

var roles = map[membership.Role]access.Role{
	membership.RoleOwner:  access.Admin,
	membership.RoleWriter: access.Writer,
	membership.RoleReader: access.Reader,
}

// loadViewerRoles reads what the viewer is to which owner.
func (r *rows) loadViewerRoles(ctx context.Context) (map[int64]access.Role, error) {
	held := map[int64]access.Role{}
	if r.viewer.Kind != access.User {
		return held, nil
	}
	ctx = access.SystemContext(ctx)
	u, err := r.client.User.Query().Where(user.ID(r.viewer.UserID)).Select(user.FieldOwnerID).Only(ctx)
	if ent.IsNotFound(err) {
		return held, nil
	}
	if err != nil {
		return nil, err
	}
	held[u.OwnerID] = access.Admin
	members, err := r.client.Membership.Query().Where(membership.UserID(u.ID)).All(ctx)
	for _, m := range members {
		held[m.OwnerID] = roles[m.Role]
	}
	return held, err
}

func (r *rows) loadOwners(ctx context.Context, ids []int64) (map[int64]*ent.Owner, error) {
	list, err := r.client.Owner.Query().Where(owner.IDIn(ids...)).All(access.SystemContext(ctx))
	return byID(list, func(o *ent.Owner) int64 { return o.ID }), err
}

func (r *rows) loadPackages(ctx context.Context, ids []int64) (map[int64]*ent.Pkg, error) {
	list, err := r.client.Pkg.Query().Where(pkg.IDIn(ids...)).All(access.SystemContext(ctx))
	return byID(list, func(p *ent.Pkg) int64 { return p.ID }), err
}

func (r *rows) loadUsers(ctx context.Context, ids []int64) (map[int64]*ent.User, error) {
	return r.loadVisibleUsers(access.SystemContext(ctx), ids)
}

func (r *rows) loadVisibleUsers(ctx context.Context, ids []int64) (map[int64]*ent.User, error) {
	list, err := r.client.User.Query().Where(user.IDIn(ids...)).WithNamespace().All(ctx)
	return byID(list, func(u *ent.User) int64 { return u.ID }), err
}

func byID[T any](list []*T, id func(*T) int64) map[int64]*T {
	m := make(map[int64]*T, len(list))
	for _, row := range list {
		m[id(row)] = row
	}
	return m
}

// loadTypeCounts counts what the viewer may see, not what there is.
func (a *API) loadTypeCounts(ctx context.Context, ownerIDs []int64) (map[int64][]*model.TypeCount, error) {
	var counts []struct {
		OwnerID int64  `json:"owner_id"`
		Type    string `json:"type"`
		Count   int    `json:"count"`
	}
	err := a.client().Pkg.Query().Where(pkg.OwnerIDIn(ownerIDs...)).
		Order(ent.Asc(pkg.FieldType)).
		GroupBy(pkg.FieldOwnerID, pkg.FieldType).Aggregate(ent.Count()).Scan(ctx, &counts)
	m := map[int64][]*model.TypeCount{}
	for _, c := range counts {
		m[c.OwnerID] = append(m[c.OwnerID], a.typeCount(c.Type, c.Count))
	}
	return m, err
}

// shownFiles is how many of a version's files instructions may name.
const shownFiles = 20

func (r *rows) loadFiles(ctx context.Context, versionIDs []int64) (map[int64][]*ent.PackageFile, error) {
	list, err := r.client.PackageFile.Query().
		Where(packagefile.VersionIDIn(versionIDs...)).
		WithBlob().
		Modify(entgql.LimitPerRow(packagefile.FieldVersionID, shownFiles, sql.Raw("name"))).
		All(access.SystemContext(ctx))
	slices.SortFunc(list, func(a, b *ent.PackageFile) int { return cmp.Compare(a.Name, b.Name) })
	m := map[int64][]*ent.PackageFile{}
	for _, f := range list {
		m[f.VersionID] = append(m[f.VersionID], f)
	}
	return m, err
}

func (r *rows) loadTagNames(ctx context.Context, versionIDs []int64) (map[int64][]string, error) {
	list, err := r.client.Tag.Query().Where(tag.VersionIDIn(versionIDs...)).Order(tag.BySortKey()).
		All(access.SystemContext(ctx))
	m := map[int64][]string{}
	for _, t := range list {
		m[t.VersionID] = append(m[t.VersionID], t.Name)
	}
	return m, err
}

// loadNeeded finds packages by what dependencies call them, as far as the
// viewer may see them.
func (r *rows) loadNeeded(ctx context.Context, wanted []packageKey) (map[packageKey]*ent.Pkg, error) {
	type space struct {
		ownerID int64
		typ     string
	}
	names := map[space][]string{}
	for _, k := range wanted {
		s := space{k.ownerID, k.typ}
		names[s] = append(names[s], k.name)
	}
	m := map[packageKey]*ent.Pkg{}
	for s, names := range names {
		list, err := r.client.Pkg.Query().
			Where(pkg.OwnerID(s.ownerID), pkg.Type(s.typ), pkg.Or(pkg.NameIn(names...), pkg.NormalizedNameIn(names...))).
			WithOwner().WithLatest().
			All(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			m[packageKey{s.ownerID, s.typ, p.NormalizedName}] = p
		}
		for _, p := range list {
			m[packageKey{s.ownerID, s.typ, p.Name}] = p
		}
	}
	return m, nil
}
