package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	genqlient "github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/ent"
	"entrepot/ent/membership"
	"entrepot/ent/owner"
	"entrepot/ent/schema"
	"entrepot/registry"
	"entrepot/registry/database"
	"entrepot/storage"
)

// fixture is the API over an empty registry with two package types: "plain",
// whose files are uploaded one by one, and "tagged". The users are root, who
// administers the site, ann, bob and eve; nobody owns anything but himself.
type fixture struct {
	*API
	t     testing.TB
	reg   *registry.Registry
	auth  *auth.Service
	views map[string]access.Viewer
	// hash is everybody's password's: to compute it takes long.
	hash string
	// logged is what clients were not told.
	logged syncBuffer
}

// syncBuffer is a buffer that resolvers may write to at the same time.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const password = "correct horse"

// databaseURL names an empty database; with the build tag e2e the tests run on
// PostgreSQL too.
var databaseURL = func(t testing.TB) string { return "sqlite:" + t.TempDir() + "/test.db" }

func newFixture(t testing.TB) *fixture {
	t.Helper()
	db, err := database.Open(t.Context(), databaseURL(t), database.Options{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(t.Context(), t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registry.New(registry.Options{Database: db, Store: store, Types: []registry.Type{
		{Name: "plain", Title: "Plain", Instructions: plainInstructions, Facts: func(v *ent.PackageVersion) ([]registry.Fact, error) { return plainFactsOf(v) }},
		{Name: "tagged", Title: "Tagged", KeepsLatestTag: true, CheckTag: checkTestTag, References: []string{"part"}, TagStays: tagStays, Yanks: true, States: []string{"archived"},
			Referrals: &testReferrals, CopyName: checkTestName},
	}})
	if err != nil {
		t.Fatal(err)
	}
	service := auth.New(db, nil)
	t.Cleanup(func() {
		if err := errors.Join(service.Close(context.Background()), reg.Close(context.Background()), store.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{t: t, reg: reg, auth: service, views: map[string]access.Viewer{"": {}}}
	f.API = New(Options{
		Registry:  reg,
		Auth:      service,
		BaseURL:   func(context.Context) string { return "https://packages.test" },
		Logger:    slog.New(slog.NewTextHandler(&f.logged, nil)),
		Uploaders: map[string]Uploader{"plain": plainUploader{}},
	})
	root, err := service.CreateUser(access.SystemContext(t.Context()), auth.NewUser{
		Login: "root", Email: "root@example.com", FullName: "ROOT", Password: password, Admin: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.views["root"] = access.Viewer{Kind: access.User, UserID: root.ID, Login: "root", SiteAdmin: true}
	f.hash = root.PasswordHash
	for _, login := range []string{"ann", "bob", "eve"} {
		f.user(login)
	}
	return f
}

// user makes an account.
func (f *fixture) user(login string) {
	f.t.Helper()
	ctx := access.SystemContext(f.t.Context())
	db := f.reg.Client()
	o := db.Owner.Create().SetName(login).SetNormalizedName(login).SetKind(owner.KindUser).SaveX(ctx)
	u := db.User.Create().SetOwnerID(o.ID).SetLogin(login).SetNormalizedLogin(login).SetFullName(strings.ToUpper(login)).
		SetEmail(login + "@example.com").SetNormalizedEmail(login + "@example.com").SetPasswordHash(f.hash).SaveX(ctx)
	f.views[login] = access.Viewer{Kind: access.User, UserID: u.ID, Login: login}
}

func plainInstructions(in registry.InstructionsInput) []registry.Instructions {
	body := "publish to " + in.BaseURL + "/" + in.Owner
	if in.Package != nil {
		body = fmt.Sprintf("get %s/%s/%s", in.BaseURL, in.Owner, in.Package.Name)
	}
	if in.Version != nil {
		body += "@" + in.Version.Version
	}
	for _, f := range in.Files {
		body += " " + f.Name + "=" + f.Edges.Blob.Sha256[:8]
	}
	step := registry.Step{Kind: registry.Shell, Language: "sh", Body: body}
	if in.Private {
		step.SecretPlaceholder = "TOKEN"
	}
	return []registry.Instructions{{Title: "Install", Client: "plain", Steps: []registry.Step{step}}}
}

// plainFactsOf is replaced where facts fail.
var plainFactsOf = plainFacts

func plainFacts(v *ent.PackageVersion) ([]registry.Fact, error) {
	return []registry.Fact{
		{Name: "license", Title: "License", Value: v.License},
		{Name: "authors", Title: "Authors", Columns: []string{"Name"}, Rows: [][]string{v.Authors}},
	}, nil
}

func checkTestTag(name string) error {
	if name == "" || strings.Contains(name, " ") {
		return errors.New("a tag is one word")
	}
	return nil
}

// testReferrals make versions refer to others by the property "about", and by
// a tag.
var testReferrals = registry.Referrals{
	Property: "about", TypeProperty: "kind",
	Tags: func(version string) []string { return []string{version + ".sig"} },
	Describe: func(v *ent.PackageVersion, tags []string) registry.Referral {
		if len(tags) > 0 {
			return registry.Referral{Kind: registry.Signature, Type: tags[0]}
		}
		return registry.Referral{Kind: registry.SBOM, Type: string(v.Metadata)}
	},
}

func checkTestName(_, name string) (string, error) {
	if strings.Contains(name, " ") {
		return "", errors.New("a name is one word")
	}
	return strings.ToLower(name), nil
}

func tagStays(schema.OwnerSettings) func(string, string) bool {
	return func(_, tag string) bool { return strings.HasPrefix(tag, "stays") }
}

type plainUploader struct{}

func (plainUploader) Upload(ctx context.Context, s *registry.Space, f UploadedFile) (*registry.Published, error) {
	c, err := s.Registry().Store(ctx, f.Body, -1, storage.SHA256)
	if err != nil {
		return nil, err
	}
	key, pre := registry.NaturalKey(f.Version)
	return s.Publish(ctx, registry.Publication{
		Name: f.Package, NormalizedName: strings.ToLower(f.Package), Version: f.Version, NormalizedVersion: f.Version,
		SortKey: key, Prerelease: pre, Policy: registry.CreateOrAdd,
		Files: []registry.File{{Name: f.Name, NormalizedName: f.Name, Lead: true, Content: c}},
	})
}

// as is a context of the user of that name; "" is nobody. A name with a slash
// is the user with a token of these scopes: "ann/read:package,write:package",
// or of none: "ann/".
func (f *fixture) as(who string) context.Context {
	f.t.Helper()
	login, scopes, withToken := strings.Cut(who, "/")
	v, ok := f.views[login]
	if !ok {
		f.t.Fatalf("there is no user %q", login)
	}
	if withToken {
		v.CredentialID, v.Scopes = 1, []access.Scope{}
		for _, name := range strings.FieldsFunc(scopes, func(c rune) bool { return c == ',' }) {
			v.Scopes = append(v.Scopes, access.Scope(name))
		}
	}
	return access.NewContext(f.t.Context(), v)
}

// org makes an organization of ann's.
func (f *fixture) org(name string, vis access.Visibility) {
	f.t.Helper()
	if _, err := f.reg.CreateOrganization(f.as("ann"), name, vis, "ann"); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) member(org, login string, role membership.Role) {
	f.t.Helper()
	if _, err := f.reg.SetMember(f.as("root"), org, login, role); err != nil {
		f.t.Fatal(err)
	}
}

// publish publishes a version with one file as root; change completes it.
func (f *fixture) publish(owner, typ, name, version string, change func(*registry.Publication)) *registry.Published {
	f.t.Helper()
	s, err := f.reg.Enter(f.as("root"), owner, typ, access.Write)
	if err != nil {
		f.t.Fatal(err)
	}
	key, pre := registry.NaturalKey(version)
	p := registry.Publication{
		Name: name, NormalizedName: strings.ToLower(name), Version: version, NormalizedVersion: version,
		SortKey: key, Prerelease: pre, Policy: registry.CreateOrAdd,
		Files: []registry.File{f.file("f.txt", "content of "+name+" "+version)},
	}
	if change != nil {
		change(&p)
	}
	done, err := s.Publish(f.as("root"), p)
	if err != nil {
		f.t.Fatal(err)
	}
	return done
}

func (f *fixture) file(name, content string) registry.File {
	f.t.Helper()
	c, err := f.reg.Store(f.t.Context(), strings.NewReader(content), int64(len(content)), storage.SHA256)
	if err != nil {
		f.t.Fatal(err)
	}
	return registry.File{Name: name, NormalizedName: name, Lead: true, Content: c}
}

func (f *fixture) setVisibility(owner, typ, name string, vis access.Visibility) {
	f.t.Helper()
	s, err := f.reg.Enter(f.as("root"), owner, typ, access.Manage)
	if err != nil {
		f.t.Fatal(err)
	}
	p, err := s.Package(f.as("root"), strings.ToLower(name), access.Manage)
	if err == nil {
		err = s.SetVisibility(f.as("root"), p, vis)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

type vars = map[string]any

// do runs an operation in process and returns its data as JSON.
func (f *fixture) do(who, query string, variables vars) (string, gqlerror.List) {
	f.t.Helper()
	var data json.RawMessage
	resp := &genqlient.Response{Data: &data}
	err := f.Client().MakeRequest(f.as(who), &genqlient.Request{Query: query, Variables: variables}, resp)
	list, isList := errors.AsType[gqlerror.List](err)
	if err != nil && !isList {
		f.t.Fatalf("%s: %v", query, err)
	}
	return string(data), list
}

// ask is do for an operation that must not fail.
func (f *fixture) ask(who, query string, variables vars) string {
	f.t.Helper()
	data, errs := f.do(who, query, variables)
	if errs != nil {
		f.t.Fatalf("as %q: %s\n%v\n%s", who, query, errs, &f.logged)
	}
	return data
}

// want checks the data of an operation that must not fail.
func (f *fixture) want(who, query string, variables vars, want string) {
	f.t.Helper()
	if got := f.ask(who, query, variables); got != want {
		f.t.Errorf("as %q: %s\n got %s\nwant %s", who, query, got, want)
	}
}

// wantError checks the code and the field of an operation's only error.
func (f *fixture) wantError(who, query string, variables vars, code, field string) {
	f.t.Helper()
	data, errs := f.do(who, query, variables)
	if len(errs) != 1 {
		f.t.Errorf("as %q: %s\n got %s, errors %v, want one %s", who, query, data, errs, code)
		return
	}
	gotField, _ := errs[0].Extensions["field"].(string)
	if errs[0].Extensions["code"] != code || gotField != field {
		f.t.Errorf("as %q: %s\n got %v %v, want code %s and field %q", who, query, errs[0], errs[0].Extensions, code, field)
	}
}

// pick returns what lies at a path in JSON, as "package.versions.edges.0.node.id".
func pick(t testing.TB, data, path string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		t.Fatal(err)
	}
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			var i int
			fmt.Sscan(key, &i)
			if i >= len(at) {
				t.Fatalf("no element %d of %s in %s", i, path, data)
			}
			v = at[i]
		default:
			t.Fatalf("nothing at %s in %s", path, data)
		}
	}
	return v
}

// id asks for an id as root.
func (f *fixture) id(query, path string) string {
	f.t.Helper()
	id, ok := pick(f.t, f.ask("root", query, nil), path).(string)
	if !ok {
		f.t.Fatalf("no id at %s", path)
	}
	return id
}

func (f *fixture) packageID(owner, typ, name string) string {
	f.t.Helper()
	return f.id(fmt.Sprintf(`{package(owner:%q,type:%q,name:%q){id}}`, owner, typ, name), "package.id")
}

func (f *fixture) versionID(owner, typ, name, version string) string {
	f.t.Helper()
	return f.id(fmt.Sprintf(`{package(owner:%q,type:%q,name:%q){version(version:%q){id}}}`, owner, typ, name, version), "package.version.id")
}

func (f *fixture) fileID(owner, typ, name, version string) string {
	f.t.Helper()
	return f.id(fmt.Sprintf(`{package(owner:%q,type:%q,name:%q){version(version:%q){files(first:1){edges{node{id}}}}}}`, owner, typ, name, version),
		"package.version.files.edges.0.node.id")
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// uploaderFunc reads a file and refuses it.
type uploaderFunc func(io.Reader) error

func (u uploaderFunc) Upload(_ context.Context, _ *registry.Space, f UploadedFile) (*registry.Published, error) {
	if err := u(f.Body); err != nil {
		return nil, err
	}
	return nil, registry.Errorf(registry.Conflict, "not today")
}

func request(query string) *genqlient.Request { return &genqlient.Request{Query: query} }

func answer() *genqlient.Response { return &genqlient.Response{Data: new(json.RawMessage)} }
