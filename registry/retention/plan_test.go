package retention

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"entrepot/ent/schema"
)

var at = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func days(n int) time.Time { return at.Add(-time.Duration(n) * 24 * time.Hour) }

func compile(t testing.TB, name string, spec schema.CleanupSpec) *Rule {
	t.Helper()
	r, err := Compile(spec, func(typ string) bool { return typ != "unknown" })
	if err != nil {
		t.Fatal(err)
	}
	r.Name = name
	return r
}

// units are 1.0 ... 1.9 and 2.0-rc, one a day, the newest a day old.
func units() []Unit {
	var all []Unit
	for i := range 10 {
		all = append(all, Unit{ID: int64(i), Version: fmt.Sprintf("1.%d", i), SortKey: fmt.Sprintf("01%02d", i), Published: days(11 - i)})
	}
	return append(all, Unit{ID: 10, Version: "2.0-rc", SortKey: "0200", Prerelease: true, Published: days(1)})
}

func removed(units []Unit, decisions []Decision) string {
	var gone []string
	for i, d := range decisions {
		if d.Remove {
			gone = append(gone, units[i].Version)
		}
	}
	return strings.Join(gone, " ")
}

func TestPlan(t *testing.T) {
	everything := schema.CleanupRemove{Everything: true}
	for _, tt := range []struct {
		name   string
		spec   schema.CleanupSpec
		change func(u []Unit)
		want   string
	}{
		{"newest by version", schema.CleanupSpec{Keep: schema.CleanupKeep{Newest: 3}, Remove: everything}, nil, "1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7"},
		{"newest by time", schema.CleanupSpec{Keep: schema.CleanupKeep{NewestPublished: 2}, Remove: everything},
			func(u []Unit) { u[0].Published = days(0).Add(-2 * time.Hour) }, "1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8"},
		{"newest of major lines", schema.CleanupSpec{Keep: schema.CleanupKeep{NewestPerMajor: 1}, Remove: everything}, nil, "1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8"},
		{"newest of minor lines", schema.CleanupSpec{Keep: schema.CleanupKeep{NewestPerMinor: 1}, Remove: everything}, nil, ""},
		{"groups count apart", schema.CleanupSpec{Keep: schema.CleanupKeep{Newest: 1}, Remove: everything},
			func(u []Unit) { u[3].Group = "arm64" }, "1.0 1.1 1.2 1.4 1.5 1.6 1.7 1.8"},
		{"older than", schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: 9}}, nil, "1.0 1.1 1.2"},
		{"conditions hold together", schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: 5, Versions: []string{"*.[135]"}}}, nil, "1.1 1.3 1.5"},
		{"prereleases", schema.CleanupSpec{Remove: schema.CleanupRemove{Prereleases: true}}, nil, "2.0-rc"},
		{"prereleases alone are looked at", schema.CleanupSpec{Select: schema.CleanupSelect{Prereleases: "only"}, Remove: schema.CleanupRemove{OlderThan: 1}}, nil, "2.0-rc"},
		{"prereleases are not looked at", schema.CleanupSpec{Select: schema.CleanupSelect{Prereleases: "never"}, Keep: schema.CleanupKeep{Newest: 9}, Remove: everything}, nil, "1.0"},
		{"downloaded lately", schema.CleanupSpec{Keep: schema.CleanupKeep{DownloadedWithin: 3}, Remove: schema.CleanupRemove{OlderThan: 10}},
			func(u []Unit) { u[0].Downloaded = days(2) }, "1.1"},
		{"not downloaded", schema.CleanupSpec{Remove: schema.CleanupRemove{NotDownloadedFor: 8}},
			func(u []Unit) { u[0].Downloaded = days(7) }, "1.1 1.2 1.3"},
		{"downloads", schema.CleanupSpec{Keep: schema.CleanupKeep{Downloads: 5}, Remove: schema.CleanupRemove{OlderThan: 10}},
			func(u []Unit) { u[0].Downloads = 5; u[1].Downloads = 4 }, "1.1"},
		{"published lately", schema.CleanupSpec{Keep: schema.CleanupKeep{PublishedWithin: 9}, Remove: everything}, nil, "1.0 1.1 1.2"},
		{"yanked", schema.CleanupSpec{Remove: schema.CleanupRemove{YankedFor: 3}},
			func(u []Unit) {
				for i := range 3 {
					u[i].Yanked, u[i].StatusSince = true, days(i+2)
				}
			}, "1.1 1.2"},
		{"kept versions", schema.CleanupSpec{Keep: schema.CleanupKeep{Versions: []string{"1.{0,2}"}}, Remove: schema.CleanupRemove{OlderThan: 9}}, nil, "1.1"},
		{"kept tags", schema.CleanupSpec{Keep: schema.CleanupKeep{Tags: []string{"lts-*"}}, Remove: schema.CleanupRemove{OlderThan: 10}},
			func(u []Unit) { u[1].Tags = []string{"next", "lts-1"} }, "1.0"},
		{"expressions are anchored", schema.CleanupSpec{Remove: schema.CleanupRemove{Versions: []string{`re:1\.1|1`}}}, nil, "1.1"},
		{"full names", schema.CleanupSpec{MatchFullName: true, Remove: schema.CleanupRemove{Versions: []string{"team/App/1.1", "1.2"}}}, nil, "1.1"},
		{"case", schema.CleanupSpec{CaseSensitive: true, MatchFullName: true, Remove: schema.CleanupRemove{Versions: []string{"TEAM/*"}}}, nil, ""},
		{"another type", schema.CleanupSpec{Select: schema.CleanupSelect{Types: []string{"cargo"}}, Remove: schema.CleanupRemove{OlderThan: 1}}, nil, ""},
		{"included", schema.CleanupSpec{Select: schema.CleanupSelect{Include: []string{"team/*"}}, Remove: schema.CleanupRemove{OlderThan: 10}}, nil, "1.0 1.1"},
		{"excluded", schema.CleanupSpec{Select: schema.CleanupSelect{Exclude: []string{"*app"}}, Remove: schema.CleanupRemove{OlderThan: 10}}, nil, ""},
		{"pinned", schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: 10}}, func(u []Unit) { u[0].Stays = "it is pinned" }, "1.1"},
		{"latest", schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: 10}}, func(u []Unit) { u[0].Tags = []string{"latest"} }, "1.1"},
		{"latest goes", schema.CleanupSpec{TakesLatestTag: true, Remove: schema.CleanupRemove{OlderThan: 10}}, func(u []Unit) { u[0].Tags = []string{"latest"} }, "1.0 1.1"},
		{"the highest stays", schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: 1}}, nil, "1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 2.0-rc"},
		{"the highest goes", schema.CleanupSpec{TakesLastVersion: true, Remove: schema.CleanupRemove{OlderThan: 2}}, nil, "1.0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9"},
		{"the last hour", schema.CleanupSpec{Remove: schema.CleanupRemove{Versions: []string{"1.*"}}},
			func(u []Unit) {
				for i := range 8 {
					u[i].Published = at.Add(-59 * time.Minute)
				}
			}, "1.8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := units()
			if tt.change != nil {
				tt.change(u)
			}
			p := Package{Type: "npm", Name: "Team/App", NormalizedName: "team/app"}
			got := removed(u, Plan([]*Rule{compile(t, "rule", tt.spec)}, p, u, at))
			if got != tt.want {
				t.Errorf("these go: %q, want %q", got, tt.want)
			}
		})
	}
}

// TestKeepWins asks random rules in every order: what one keeps stays.
func TestKeepWins(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		u := units()
		for i := range u {
			u[i].Downloads = random.Int64N(10)
			u[i].Downloaded = days(random.IntN(12))
		}
		var rules []*Rule
		for i := range 4 {
			spec := schema.CleanupSpec{TakesLastVersion: true}
			switch random.IntN(4) {
			case 0:
				spec.Keep.Newest = 1 + random.IntN(5)
			case 1:
				spec.Keep.Downloads = 1 + random.Int64N(9)
			case 2:
				spec.Keep.Versions = []string{fmt.Sprintf("*.%d", random.IntN(10))}
			}
			if spec.Remove.Everything = keepsSomething(spec.Keep) && random.IntN(2) == 0; !spec.Remove.Everything {
				spec.Remove.OlderThan = 1 + random.IntN(10)
			}
			rules = append(rules, compile(t, fmt.Sprint(i), spec))
		}
		p := Package{Type: "npm", Name: "app", NormalizedName: "app"}
		together := Plan(rules, p, u, at)
		random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		if shuffled := Plan(rules, p, u, at); removed(u, together) != removed(u, shuffled) {
			t.Fatalf("the order of rules matters: %q and %q", removed(u, together), removed(u, shuffled))
		}
		for _, r := range rules {
			alone := plan{pkg: p, units: u, at: at, keeps: make([][]Reason, len(u)), removes: make([][]Reason, len(u)), yanks: make([][]Reason, len(u))}
			alone.ask(r)
			for i := range u {
				if len(alone.keeps[i]) > 0 && together[i].Remove {
					t.Fatalf("%s goes although a rule keeps it: %v", u[i].Version, alone.keeps[i])
				}
			}
		}
	}
}

func TestYank(t *testing.T) {
	old := schema.CleanupRemove{OlderThan: 10}
	cargo := Package{Type: "cargo", Yanks: true, PrefersYank: true}
	npm := Package{Type: "npm"}
	for _, tt := range []struct {
		name   string
		p      Package
		action string
		yanked bool
		remove bool
		yank   bool
	}{
		{"as the type prefers", cargo, "", false, true, true},
		{"deleted all the same", cargo, schema.CleanupDelete, false, true, false},
		{"yanked already", cargo, "", true, false, false},
		{"yank asked for", Package{Type: "pypi", Yanks: true}, schema.CleanupYank, false, true, true},
		{"no yank there", npm, schema.CleanupYank, false, true, false},
		{"no yank wanted", Package{Type: "pypi", Yanks: true}, "", false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := units()
			u[0].Yanked = tt.yanked
			d := Plan([]*Rule{compile(t, "rule", schema.CleanupSpec{Remove: old, Action: tt.action})}, tt.p, u, at)[0]
			if d.Remove != tt.remove || d.Yank != tt.yank {
				t.Errorf("remove %v, yank %v, want %v, %v", d.Remove, d.Yank, tt.remove, tt.yank)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tt := range []struct {
		spec  schema.CleanupSpec
		field string
	}{
		{schema.CleanupSpec{}, "remove"},
		{schema.CleanupSpec{Keep: schema.CleanupKeep{Newest: 3}}, "remove"},
		{schema.CleanupSpec{Remove: schema.CleanupRemove{Everything: true}}, "keep"},
		{schema.CleanupSpec{Keep: schema.CleanupKeep{Newest: 3}, Remove: schema.CleanupRemove{Everything: true, OlderThan: 3}}, "remove.everything"},
		{schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: -1}}, "remove.olderThan"},
		{schema.CleanupSpec{Remove: schema.CleanupRemove{Versions: []string{"re:("}}}, "remove.versions"},
		{schema.CleanupSpec{Remove: schema.CleanupRemove{Versions: []string{"[a"}}}, "remove.versions"},
		{schema.CleanupSpec{Remove: schema.CleanupRemove{Versions: []string{""}}}, "remove.versions"},
		{schema.CleanupSpec{Select: schema.CleanupSelect{Types: []string{"unknown"}}, Remove: schema.CleanupRemove{OlderThan: 1}}, "select.types"},
		{schema.CleanupSpec{Select: schema.CleanupSelect{Prereleases: "often"}, Remove: schema.CleanupRemove{OlderThan: 1}}, "select.prereleases"},
		{schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: 1}, Action: "burn"}, "action"},
	} {
		_, err := Compile(tt.spec, func(typ string) bool { return typ != "unknown" })
		mistake, is := err.(*FieldError)
		if !is || mistake.Field != tt.field {
			t.Errorf("%+v: error %v, want one about %s", tt.spec, err, tt.field)
		}
	}
}

// TestForgejo holds what rules of Gitea and Forgejo mean against their own
// reading: newest first; the kept number, the kept pattern, the age and the
// removed pattern are asked in turn.
func TestForgejo(t *testing.T) {
	all := func(string) bool { return true }
	for _, tt := range []struct {
		name string
		rule ForgejoRule
		want string
	}{
		{"keep count", ForgejoRule{KeepCount: 5}, "1.0 1.1 1.2 1.3 1.4 1.5"},
		{"keep pattern", ForgejoRule{KeepPattern: `1\..`}, "2.0-rc"},
		{"days", ForgejoRule{RemoveDays: 7}, "1.0 1.1 1.2 1.3 1.4"},
		{"remove pattern", ForgejoRule{RemovePattern: `.+-RC`}, "2.0-rc"},
		{"all together", ForgejoRule{KeepCount: 3, KeepPattern: `1\.[01]`, RemoveDays: 5, RemovePattern: `1\..`}, "1.2 1.3 1.4 1.5 1.6"},
		{"alternatives", ForgejoRule{RemovePattern: `2.+|1`}, "1.1 2.0-rc"},
		{"full name", ForgejoRule{RemovePattern: `app/1\.3`, MatchFullName: true}, "1.3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Type = "npm"
			r, err := Compile(tt.rule.Spec(), all)
			if err != nil {
				t.Fatal(err)
			}
			u := units()
			got := removed(u, Plan([]*Rule{r}, Package{Type: "npm", Name: "App", NormalizedName: "app"}, u, at))
			if got != tt.want {
				t.Errorf("these go: %q, want %q", got, tt.want)
			}
		})
	}
	if _, err := Compile(ForgejoRule{Type: "npm"}.Spec(), all); err == nil {
		t.Error("a rule that deletes everything was accepted")
	}
}

func TestReasons(t *testing.T) {
	keeps := compile(t, "keep five", schema.CleanupSpec{Keep: schema.CleanupKeep{Newest: 5}, Remove: schema.CleanupRemove{Everything: true}})
	keeps.Removes = false
	removes := compile(t, "old", schema.CleanupSpec{Remove: schema.CleanupRemove{OlderThan: 5}})
	u := units()
	decisions := Plan([]*Rule{removes, keeps}, Package{Type: "npm", Name: "app"}, u, at)
	if got := removed(u, decisions); got != "1.0 1.1 1.2 1.3 1.4 1.5" {
		t.Errorf("these go: %q", got)
	}
	if got := fmt.Sprint(decisions[0].Reasons); got != "[old: it is older than 5 days]" {
		t.Errorf("1.0 goes because %s", got)
	}
	if got := fmt.Sprint(decisions[7].Reasons); got != "[keep five: it is among the newest 5 by version]" {
		t.Errorf("1.7 stays because %s", got)
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"v1.*", "*-SNAPSHOT", "{a,b}", "re:v.+|release", "[a-", "re:(", "**/x", `\`, "{a,{b,c}}"} {
		f.Add(seed, "1.0")
	}
	f.Fuzz(func(t *testing.T, pattern, version string) {
		r, err := Compile(schema.CleanupSpec{Remove: schema.CleanupRemove{Versions: []string{pattern}}}, func(string) bool { return true })
		if err != nil {
			return
		}
		u := []Unit{{Version: version, SortKey: "0", Published: days(3)}, {Version: "9", SortKey: "1", Published: days(3)}}
		d := Plan([]*Rule{r}, Package{Type: "npm"}, u, at)
		if slices.ContainsFunc(d[1:], func(d Decision) bool { return d.Remove }) {
			t.Fatal("the highest version goes")
		}
	})
}
