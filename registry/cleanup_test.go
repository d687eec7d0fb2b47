package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/cleanuprule"
	"entrepot/ent/event"
	"entrepot/ent/packageblob"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/schema"
	"entrepot/ent/tag"
)

// published lets a version, with its tags, have come so many days ago.
func (f *fixture) published(version string, days int) {
	f.t.Helper()
	at := now().Add(-time.Duration(days) * 24 * time.Hour)
	came := func(column string) func(*entsql.UpdateBuilder) {
		return func(u *entsql.UpdateBuilder) { u.Set(column, at) }
	}
	ctx := f.system()
	f.db.PackageVersion.Update().Where(packageversion.Version(version)).Modify(came(packageversion.FieldCreatedAt)).ExecX(ctx)
	f.db.PackageFile.Update().Where(packagefile.HasVersionWith(packageversion.Version(version))).Modify(came(packagefile.FieldCreatedAt)).ExecX(ctx)
	f.db.Tag.Update().Where(tag.HasVersionWith(packageversion.Version(version))).SetUpdatedAt(at).ExecX(ctx)
}

// old publishes versions of a plain package, the first of them as many days
// ago as there are.
func (f *fixture) old(name string, versions ...string) *ent.Pkg {
	f.t.Helper()
	var p *ent.Pkg
	for i, version := range versions {
		p = f.publish(name, version, name+version).Package
		f.published(version, len(versions)-i)
	}
	return p
}

func (f *fixture) rule(in CleanupRule) *ent.CleanupRule {
	f.t.Helper()
	in.Enabled = true
	rule, err := f.SaveCleanupRule(f.as(f.ann), "acme", nil, in)
	if err != nil {
		f.t.Fatal(err)
	}
	return rule
}

func (f *fixture) runCleanups(confirmed bool) *ent.CleanupRun {
	f.t.Helper()
	run, err := f.RunCleanup(f.as(f.ann), "acme", nil, confirmed)
	if err != nil {
		f.t.Fatal(err)
	}
	return run
}

// versions are those of a package that clients see.
func (f *fixture) versions(name string) string {
	f.t.Helper()
	versions, err := f.db.PackageVersion.Query().
		Where(packageversion.HasPackageWith(pkg.Name(name)), published).
		Order(ent.Asc(packageversion.FieldSortKey)).Select(packageversion.FieldVersion).Strings(f.system())
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.Join(versions, " ")
}

// newest is a rule that keeps so many of each package.
func newest(name string, n int) CleanupRule {
	return CleanupRule{Name: name, Spec: schema.CleanupSpec{Keep: schema.CleanupKeep{Newest: n}, Remove: schema.CleanupRemove{Everything: true}}}
}

func TestCleanup(t *testing.T) { testCleanup(t, newFixture(t)) }

func testCleanup(t *testing.T, f *fixture) {
	f.old("app", "1.0", "1.1", "1.2", "1.3")
	f.old("lib", "1", "2")
	f.rule(newest("two", 2))

	plan, err := f.PreviewCleanup(f.as(f.ann), "acme", nil, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Removed != 2 || plan.Held != 0 || plan.Bytes != int64(len("app1.0")+len("app1.1")) {
		t.Errorf("planned %d, held %d, %d bytes", plan.Removed, plan.Held, plan.Bytes)
	}
	if got := f.versions("app"); got != "1.0 1.1 1.2 1.3" {
		t.Errorf("a preview has removed something: %s is left", got)
	}
	run := f.runCleanups(false)
	if run.Removed != plan.Removed || run.Bytes != plan.Bytes || run.FinishedAt == nil || run.Error != "" || len(run.Decisions) != 2 {
		t.Errorf("the run was %+v, want what was planned: %+v", run, plan)
	}
	if got := f.versions("app") + "|" + f.versions("lib"); got != "1.2 1.3|1 2" {
		t.Errorf("left are %s", got)
	}
	e := f.db.Event.Query().Where(event.Kind(EventVersionDeleted)).FirstX(f.system())
	if e.ActorID != nil || e.Agent == nil || *e.Agent != "cleanup: two" {
		t.Errorf("the event says %v, %v", e.ActorID, e.Agent)
	}
	f.wantNoFindings()
	if again := f.runCleanups(false); again.Removed != 0 || again.Bytes != 0 {
		t.Errorf("the second run removed %d", again.Removed)
	}
}

// TestCleanupFrees holds what a run says it frees against what nothing of the
// owner names afterwards.
func TestCleanupFrees(t *testing.T) { testCleanupFrees(t, newFixture(t)) }

func testCleanupFrees(t *testing.T, f *fixture) {
	for i, content := range []string{"shared by three", "its own", "shared by three", "twice, both go", "twice, both go", "the last one"} {
		f.publish("app", fmt.Sprint(i), content)
		f.published(fmt.Sprint(i), 10-i)
	}
	f.publish("lib", "9", "shared by three")
	f.published("9", 3)
	f.rule(newest("one", 1))
	want := int64(len("its own") + len("twice, both go"))
	plan, err := f.PreviewCleanup(f.as(f.ann), "acme", nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	run := f.runCleanups(false)
	free := int64(0)
	for _, b := range f.db.PackageBlob.Query().Where(packageblob.UnreferencedAtNotNil()).AllX(f.system()) {
		free += b.Size
	}
	if plan.Bytes != want || run.Bytes != want || free != want {
		t.Errorf("planned %d bytes, told %d, freed %d, want %d", plan.Bytes, run.Bytes, free, want)
	}
}

func TestCleanupDraft(t *testing.T) {
	f := newFixture(t)
	f.old("app", "1.0", "1.1", "1.2", "1.3")
	stored := f.rule(newest("three", 3))
	draft := newest("one", 1)
	for _, tt := range []struct {
		name string
		id   *int64
		want int
	}{{"beside the stored rule, which keeps", nil, 1}, {"in its place", &stored.ID, 3}} {
		plan, err := f.PreviewCleanup(f.as(f.ann), "acme", tt.id, &draft, 100)
		if err != nil {
			t.Fatal(err)
		}
		if plan.Removed != tt.want {
			t.Errorf("%s: %d would go, want %d", tt.name, plan.Removed, tt.want)
		}
	}
	plan, err := f.PreviewCleanup(f.as(f.ann), "acme", nil, &draft, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Items) != 2 || !plan.Items[0].Remove || plan.Items[1].Remove || !slices.Contains(plan.Items[1].Reasons, "three: it is among the newest 3 by version") {
		t.Errorf("told of are %+v", plan.Items)
	}
}

func TestCleanupRights(t *testing.T) {
	f := newFixture(t)
	rule := f.rule(newest("one", 1))
	for _, v := range []struct {
		viewer access.Viewer
		code   Code
	}{{f.bob, Forbidden}, {access.Viewer{}, Unauthenticated}} {
		ctx := f.as(v.viewer)
		_, err := f.CleanupRules(ctx, "acme")
		wantCode(t, err, v.code)
		_, err = f.SaveCleanupRule(ctx, "acme", &rule.ID, newest("mine", 1))
		wantCode(t, err, v.code)
		wantCode(t, f.DeleteCleanupRule(ctx, "acme", rule.ID), v.code)
		_, err = f.PreviewCleanup(ctx, "acme", nil, nil, 1)
		wantCode(t, err, v.code)
		_, err = f.RunCleanup(ctx, "acme", nil, false)
		wantCode(t, err, v.code)
		_, err = f.CleanupRuns(ctx, "acme", 0, 1)
		wantCode(t, err, v.code)
	}
	// A rule belongs to its owner: ann cannot reach it through her own space.
	_, err := f.SaveCleanupRule(f.as(f.ann), "ann", &rule.ID, newest("mine", 1))
	wantCode(t, err, NotFound)
	wantCode(t, f.DeleteCleanupRule(f.as(f.ann), "ann", rule.ID), NotFound)
}

func TestCleanupRuleRefused(t *testing.T) {
	f := newFixture(t)
	f.rule(newest("one", 1))
	in := newest("two", 1)
	for _, tt := range []struct {
		name   string
		change func(*CleanupRule)
		code   Code
		field  string
	}{
		{"no name", func(r *CleanupRule) { r.Name = "" }, Invalid, "name"},
		{"name taken", func(r *CleanupRule) { r.Name = "one" }, Conflict, "name"},
		{"empty", func(r *CleanupRule) { r.Spec = schema.CleanupSpec{} }, Invalid, "spec.remove"},
		{"unknown type", func(r *CleanupRule) { r.Spec.Select.Types = []string{"npn"} }, Invalid, "spec.select.types"},
		{"schedule", func(r *CleanupRule) { r.Schedule = "sometimes" }, Invalid, "schedule"},
		{"schedule without a day", func(r *CleanupRule) { r.Schedule = "0 0 31 2 *" }, Invalid, "schedule"},
	} {
		rule := in
		rule.Enabled = true
		tt.change(&rule)
		_, err := f.SaveCleanupRule(f.as(f.ann), "acme", nil, rule)
		e, _ := errors.AsType[*Error](err)
		if e == nil || e.Code != tt.code || e.Field != tt.field {
			t.Errorf("%s: error %v, want %s about %s", tt.name, err, tt.code, tt.field)
		}
	}
}

func TestCleanupHolds(t *testing.T) { testCleanupHolds(t, newFixture(t)) }

func testCleanupHolds(t *testing.T, f *fixture) {
	f.old("app", "1", "2")
	client, p := f.db.Client, f.db.Pkg.Query().OnlyX(f.system())
	var rows []*ent.PackageVersionCreate
	for i := range cleanupCount + 10 {
		v := fmt.Sprintf("0.%d", i)
		rows = append(rows, client.PackageVersion.Create().SetPackageID(p.ID).SetVersion(v).SetNormalizedVersion(v).
			SetSortKey(fmt.Sprintf("00%06d", i)).SetCreatedAt(now().Add(-48*time.Hour)))
	}
	for chunk := range slices.Chunk(rows, 500) {
		client.PackageVersion.CreateBulk(chunk...).ExecX(f.system())
	}
	client.Pkg.UpdateOneID(p.ID).AddVersionCount(len(rows)).ExecX(f.system())
	f.rule(newest("one", 1))
	if run := f.runCleanups(false); run.Removed != 0 || run.Held != len(rows)+1 {
		t.Errorf("removed %d and held %d, want 0 and %d", run.Removed, run.Held, len(rows)+1)
	}
	if run := f.runCleanups(true); run.Removed != len(rows)+1 || run.Held != 0 {
		t.Errorf("removed %d and held %d after the word was given", run.Removed, run.Held)
	}
	if got := f.versions("app"); got != "2" {
		t.Errorf("left are %s", got)
	}
}

func TestCleanupPins(t *testing.T) { testCleanupPins(t, newFixture(t)) }

func testCleanupPins(t *testing.T, f *fixture) {
	p := f.old("app", "1", "2", "3")
	f.rule(newest("one", 1))
	s := f.enter(f.ann, "acme", "plain", access.Manage)
	if err := s.SetPinned(t.Context(), p, []string{"1"}, true); err != nil {
		t.Fatal(err)
	}
	f.runCleanups(false)
	if got := f.versions("app"); got != "1 3" {
		t.Errorf("left are %s", got)
	}
	if err := s.SetPinned(t.Context(), p, []string{"1"}, false); err != nil {
		t.Fatal(err)
	}
	f.runCleanups(false)
	if got := f.versions("app"); got != "3" {
		t.Errorf("left are %s", got)
	}
	wantCode(t, s.SetPinned(t.Context(), p, []string{"7"}, true), NotFound)
}

// TestCleanupLooksAgain publishes, tags and downloads between the plan and the
// act.
func TestCleanupLooksAgain(t *testing.T) { testCleanupLooksAgain(t, newFixture(t)) }

func testCleanupLooksAgain(t *testing.T, f *fixture) {
	p := f.old("app", "1", "2", "3")
	f.rule(CleanupRule{Name: "unused", Spec: schema.CleanupSpec{Remove: schema.CleanupRemove{NotDownloadedFor: 1}}})
	ctx := f.system()
	acme, _, err := f.OwnerRole(f.as(f.ann), "acme", access.Administer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.cleaning(ctx, acme, nil, func(*ent.CleanupRule) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	run := &cleanupRun{cleaning: c, yield: newYield(f.Registry, acme)}
	s := &Space{Owner: acme, Type: f.types["plain"], Viewer: access.SystemViewer(), reg: f.Registry}
	of, err := c.plan(ctx, unitReader{f.db.Client, s}, p)
	if err != nil || len(of.going(false)) != 2 {
		t.Fatalf("the plan is %+v: %v", of, err)
	}
	// A pull saves a version.
	f.db.PackageVersion.Update().Where(packageversion.Version("1")).SetDownloadedAt(c.at.Add(time.Second)).ExecX(ctx)
	// What has changed is decided on anew.
	f.publish("app", "4", "four")
	if err := run.carryOut(ctx, s, of, map[int64]bool{}); !errors.Is(err, errChanged) {
		t.Errorf("a changed package: %v", err)
	}
	if err := run.clean(ctx, s, p); err != nil {
		t.Fatal(err)
	}
	if got := f.versions("app"); got != "1 3 4" && got != "1 4" {
		t.Errorf("left are %s", got)
	}
}

func TestCleanupSchedule(t *testing.T) {
	f := newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{CleanupSchedule: "@daily"})
	f.old("app", "1", "2")
	in := newest("one", 1)
	in.Schedule = "*/5 * * * *"
	rule := f.rule(in)
	other := f.rule(newest("daily", 5))
	if rule.NextRunAt == nil || time.Until(*rule.NextRunAt) > 5*time.Minute+cleanupJitter || other.NextRunAt == nil {
		t.Fatalf("due at %v and %v", rule.NextRunAt, other.NextRunAt)
	}
	if err := f.CleanUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.versions("app"); got != "1 2" {
		t.Errorf("a rule that was not due has left %s", got)
	}
	f.db.CleanupRule.UpdateOneID(other.ID).SetEnabled(false).ExecX(f.system())
	f.db.CleanupRule.UpdateOneID(rule.ID).SetNextRunAt(now().Add(-time.Second)).ExecX(f.system())
	// Two replicas at once: one of them carries it out.
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- f.CleanUp(context.WithoutCancel(t.Context())) }()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	if got := f.versions("app"); got != "2" {
		t.Errorf("left are %s", got)
	}
	if runs := f.db.CleanupRun.Query().CountX(f.system()); runs != 1 {
		t.Errorf("%d runs, want 1", runs)
	}
	if again := f.db.CleanupRule.Query().Where(cleanuprule.ID(rule.ID)).OnlyX(f.system()); !again.NextRunAt.After(now()) {
		t.Errorf("due again at %v", again.NextRunAt)
	}
}

// image publishes a layered version with a tag and parts, so many days ago.
func (l *layered) image(days int, version, tag string, needs ...string) {
	l.t.Helper()
	p := l.version(version, needs...)
	if tag != "" {
		if err := l.SetTag(l.t.Context(), p, tag, version); err != nil {
			l.t.Fatal(err)
		}
	}
	l.published(version, days)
}

func (l *layered) tags() string {
	l.t.Helper()
	names, err := l.db.Tag.Query().Order(tag.BySortKey()).Select(tag.FieldName).Strings(l.system())
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestCleanupTags(t *testing.T) { testCleanupTags(t, newFixture(t)) }

func testCleanupTags(t *testing.T, f *fixture) {
	l := layeredOn(f)
	l.layer("base", "base layer")
	l.layer("one", "layer of one")
	l.image(30, "amd64-1", "", "base", "one")
	l.image(30, "index-1", "v1", "amd64-1")
	l.image(30, "index-1-signature", "index-1.sig")
	l.image(20, "image-2", "v2", "base")
	l.image(19, "image-2-again", "also-2")
	l.image(10, "image-3", "latest", "base")
	l.image(9, "image-4", "stays", "base")
	l.image(3, "image-5", "v5", "base")
	l.rule(newest("one", 1))

	plan, err := l.PreviewCleanup(l.as(l.ann), "acme", nil, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	run := l.runCleanups(false)
	if got := l.tags(); got != "latest stays v5" {
		t.Errorf("tags left: %s", got)
	}
	if got := l.versions("app"); got != "image-3 image-4 image-5" {
		t.Errorf("versions left: %s", got)
	}
	if plan.Removed != run.Removed || plan.Bytes != run.Bytes {
		t.Errorf("planned %d units and %d bytes, were %d and %d", plan.Removed, plan.Bytes, run.Removed, run.Bytes)
	}
	// The layer that only the first image had goes with the next collections.
	want := int64(len("layer of one") + len("amd64-1index-1index-1-signatureimage-2image-2-again"))
	if run.Bytes != want {
		t.Errorf("%d bytes are freed, want %d", run.Bytes, want)
	}
	l.dayLater()
	free := int64(0)
	for _, b := range l.db.PackageBlob.Query().Where(packageblob.UnreferencedAtNotNil()).AllX(l.system()) {
		free += b.Size
	}
	if free != want {
		t.Errorf("%d bytes are free, want %d", free, want)
	}
	l.wantNoFindings()
}

func TestUntagged(t *testing.T) { testUntagged(t, newFixture(t)) }

func testUntagged(t *testing.T, f *fixture) {
	l := layeredOn(f)
	l.image(30, "part", "")
	l.image(30, "index", "v1", "part")
	l.image(30, "forgotten-part", "")
	l.image(30, "forgotten", "", "forgotten-part")
	l.image(30, "signature", "index.sig")
	l.image(30, "forgotten-signature", "forgotten.sig")
	l.image(30, "pulled", "")
	l.image(3, "pushed", "")
	l.image(30, "pinned", "")
	ctx := l.system()
	l.db.PackageVersion.Update().Where(packageversion.Version("pulled")).SetDownloadedAt(now().Add(-3 * 24 * time.Hour)).ExecX(ctx)
	l.db.PackageVersion.Update().Where(packageversion.Version("pinned")).SetPinned(true).ExecX(ctx)

	plan, err := l.PreviewCleanup(l.as(l.ann), "acme", nil, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Removed != 3 {
		t.Errorf("%d would go: %+v", plan.Removed, plan.Items)
	}
	if run := l.runCleanups(false); run.Removed != 3 {
		t.Errorf("%d went: %s", run.Removed, run.Error)
	}
	if got := l.versions("app"); got != "index part pinned pulled pushed signature" {
		t.Errorf("left are %s", got)
	}
	zero := 0
	if _, err := l.UpdateOwner(l.as(l.ann), "acme", OwnerChange{CleanupUntaggedDays: &zero}); err != nil {
		t.Fatal(err)
	}
	l.published("pushed", 300)
	if run := l.runCleanups(false); run.Removed != 0 {
		t.Errorf("%d went though nothing untagged is to go", run.Removed)
	}
	// With a tag that goes, what only it led to goes all the same.
	l.rule(CleanupRule{Name: "v1", Spec: schema.CleanupSpec{TakesLastVersion: true, Remove: schema.CleanupRemove{Versions: []string{"v1"}}}})
	l.runCleanups(false)
	if got := l.versions("app"); got != "pinned pulled pushed" {
		t.Errorf("left are %s", got)
	}
}

func TestCleanupFiles(t *testing.T) { testCleanupFiles(t, newFixture(t)) }

func testCleanupFiles(t *testing.T, f *fixture) {
	r := f.types["plain"]
	r.Counts, r.FollowsLead = CountFiles, true
	f.types["plain"] = r
	s := f.enter(f.ann, "acme", "plain", access.Write)
	for i, file := range []struct{ version, arch string }{{"1", "amd64"}, {"1", "arm64"}, {"2", "amd64"}, {"3", "amd64"}} {
		p := f.publication("app", file.version, fmt.Sprint("content ", i))
		p.Policy, p.Files[0].CompositeKey = CreateOrAdd, file.arch
		p.Files = append(p.Files, File{Name: "f.sig", NormalizedName: "f.sig", CompositeKey: file.arch, Content: f.stored(fmt.Sprint("signature ", i))})
		if _, err := s.Publish(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		f.published(file.version, 9-i)
	}
	f.rule(newest("one", 1))
	run := f.runCleanups(false)
	if run.Removed != 2 || f.versions("app") != "1 3" {
		t.Errorf("%d files went, left are %s", run.Removed, f.versions("app"))
	}
	if run.Bytes != int64(len("content 0")+len("signature 0")+len("content 2")+len("signature 2")) {
		t.Errorf("%d bytes were freed", run.Bytes)
	}
}

func TestCleanupOfADeletedOrganization(t *testing.T) {
	f := newFixture(t)
	f.rule(newest("one", 1))
	f.runCleanups(false)
	if err := f.DeleteOrganization(f.as(f.ann), "acme"); err != nil {
		t.Fatal(err)
	}
	if n := f.db.CleanupRule.Query().CountX(f.system()) + f.db.CleanupRun.Query().CountX(f.system()); n != 0 {
		t.Errorf("%d rows are left behind", n)
	}
}
