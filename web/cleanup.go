package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// cleanup lists an owner's cleanup rules with a form for one: the one that the query names, or a new one.
func (s *site) cleanup(w http.ResponseWriter, r *http.Request, t route.Target) error {
	v, err := s.cleanupView(r, t)
	if err != nil {
		return err
	}
	v.Notice = s.takeNotice(r)
	rule := newCleanupRule()
	if id := r.URL.Query().Get("rule"); id != "" {
		i := slices.IndexFunc(v.Rules, func(item cleanupItem) bool { return item.ID == id })
		if i < 0 {
			return errNoPage
		}
		v.Editing, rule = id, v.Rules[i].Rule
	}
	v.Form = cleanupFormOf(rule, nil)
	return s.show(w, r, cleanupPage(v))
}

// changeCleanup takes the forms of the cleanup settings.
func (s *site) changeCleanup(w http.ResponseWriter, r *http.Request, t route.Target, action string) error {
	switch action {
	case "save", "preview":
		return s.saveCleanupRule(w, r, t, action == "preview")
	case "delete":
		if _, err := queries.DeleteCleanupRule(r.Context(), s.GraphQL, t.Owner, r.PostForm.Get("id")); err != nil {
			return err
		}
		s.notice(r, "Rule deleted")
		return seeOther(w, t.Path())
	case "run":
		return s.runCleanup(w, r, t)
	case "untagged":
		days, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("days")))
		if err != nil {
			return errForm
		}
		if _, err := queries.SetCleanupUntagged(r.Context(), s.GraphQL, t.Owner, days); err != nil {
			return err
		}
		s.notice(r, "Settings saved")
		return seeOther(w, t.Path())
	}
	return errForm
}

// saveCleanupRule keeps what the form says, or shows what it would do.
func (s *site) saveCleanupRule(w http.ResponseWriter, r *http.Request, t route.Target, preview bool) error {
	rule, bad := readCleanupRule(r.PostForm)
	id := r.PostForm.Get("id")
	v, err := s.cleanupView(r, t)
	if err != nil {
		return err
	}
	v.Editing = id
	var p *problem
	switch {
	case bad != nil:
		p = bad
	case preview:
		var draft *string
		if id != "" {
			draft = &id
		}
		asked := rule
		if asked.Name == "" {
			asked.Name = "this rule"
		}
		res, failure := queries.CleanupPreview(r.Context(), s.GraphQL, t.Owner, &asked, draft)
		if failure == nil {
			v.Plan = cleanupPlanOf(res)
		}
		err = failure
	case id != "":
		_, err = queries.UpdateCleanupRule(r.Context(), s.GraphQL, t.Owner, id, rule)
	default:
		_, err = queries.CreateCleanupRule(r.Context(), s.GraphQL, t.Owner, rule)
	}
	if err != nil {
		if p, err = formProblem(err); err != nil {
			return err
		}
	} else if p == nil && !preview {
		s.notice(r, "Rule "+rule.Name+" saved")
		return seeOther(w, t.Path())
	}
	v.Form = cleanupFormOf(rule, p)
	s.render(w, r, p.status(), cleanupPage(v))
	return nil
}

func (s *site) runCleanup(w http.ResponseWriter, r *http.Request, t route.Target) error {
	res, err := queries.RunCleanup(r.Context(), s.GraphQL, t.Owner, r.PostForm.Get("confirm") != "")
	if err != nil {
		return err
	}
	run := res.RunCleanup.Run
	s.notice(r, fmt.Sprintf("%s removed, %s freed", ui.Plural(int64(run.Removed), "item", "items"), ui.FormatBytes(run.Bytes)))
	return seeOther(w, t.Path())
}

func (s *site) cleanupView(r *http.Request, t route.Target) (cleanupView, error) {
	res, err := queries.Cleanup(r.Context(), s.GraphQL, t.Owner)
	if err != nil {
		return cleanupView{}, err
	}
	if res.Owner == nil {
		return cleanupView{}, errNoPage
	}
	head, err := administered(&res.Owner.OwnerHead)
	if err != nil {
		return cleanupView{}, err
	}
	v := cleanupView{
		Page: s.page(r, "Cleanup of "+head.Name, res.Viewer),
		Head: head,
		Untagged: ui.Field{
			Name: "days", Label: "Untagged images", Type: "number", Value: strconv.Itoa(res.Owner.CleanupUntaggedDays),
			Help: "Days after the last push or pull; 0 keeps them for good.",
		},
	}
	for _, rule := range res.Owner.CleanupRules {
		item := cleanupItem{ID: rule.Id, Rule: queries.CleanupRuleInput{Name: rule.Name, Enabled: rule.Enabled, Schedule: rule.Schedule}}
		if item.Rule.Spec, err = specInput(rule.Spec); err != nil {
			return v, err
		}
		if rule.NextRunAt != nil {
			item.Next = *rule.NextRunAt
		}
		v.Rules = append(v.Rules, item)
	}
	for _, run := range res.Owner.CleanupRuns {
		item := cleanupRunItem{
			Rules: strings.Join(run.Rules, ", "), Removed: run.Removed, Held: run.Held, Bytes: run.Bytes, Error: run.Error, Started: run.StartedAt,
		}
		for _, d := range run.Decisions {
			item.Decisions = append(item.Decisions, cleanupLine{
				What: strings.TrimSpace(d.Type + " " + d.Package + " " + d.Version + " " + d.File), Why: strings.Join(d.Reason, "; "), Fate: "removed", Tone: ui.Danger,
			})
		}
		v.Runs = append(v.Runs, item)
	}
	return v, nil
}

// specInput is a rule as it is read as one that can be written; the two have the same fields.
func specInput(spec queries.CleanupRuleItemSpecCleanupSpec) (in queries.CleanupSpecInput, err error) {
	raw, err := json.Marshal(spec)
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	return in, err
}

func cleanupPlanOf(res *queries.CleanupPreviewResponse) *cleanupPlan {
	p := &cleanupPlan{Removed: res.CleanupPreview.Removed, Held: res.CleanupPreview.Held, Bytes: res.CleanupPreview.Bytes}
	for _, item := range res.CleanupPreview.Items {
		line := cleanupLine{
			What: strings.TrimSpace(item.Package.Type + " " + item.Package.Name + " " + item.Version + " " + item.File),
			Why:  strings.Join(item.Reasons, "; "), Fate: "stays", Tone: ui.Success,
		}
		switch {
		case item.Held:
			line.Fate, line.Tone = "held back", ui.Warning
		case item.Yank:
			line.Fate, line.Tone = "yanked", ui.Warning
		case item.Remove:
			line.Fate, line.Tone = "removed", ui.Danger
		}
		p.Lines = append(p.Lines, line)
	}
	return p
}

// newCleanupRule is what a new form begins with.
func newCleanupRule() queries.CleanupRuleInput {
	rule := queries.CleanupRuleInput{Enabled: true}
	rule.Spec.Keep.Newest = 10
	rule.Spec.Remove.Everything = true
	return rule
}

// cleanupNumbers are the inputs of the rule's numbers. Names are those by which the API tells of mistakes.
var cleanupNumbers = []struct {
	name, label, help string
	in                func(*queries.CleanupSpecInput) *int
}{
	{"spec.keep.newest", "Newest by version", "How many", func(s *queries.CleanupSpecInput) *int { return &s.Keep.Newest }},
	{"spec.keep.newestPublished", "Published last", "How many", func(s *queries.CleanupSpecInput) *int { return &s.Keep.NewestPublished }},
	{"spec.keep.newestPerMajor", "Newest of each major line", "How many", func(s *queries.CleanupSpecInput) *int { return &s.Keep.NewestPerMajor }},
	{"spec.keep.newestPerMinor", "Newest of each minor line", "How many", func(s *queries.CleanupSpecInput) *int { return &s.Keep.NewestPerMinor }},
	{"spec.keep.publishedWithin", "Published within", "Days", func(s *queries.CleanupSpecInput) *int { return &s.Keep.PublishedWithin }},
	{"spec.keep.downloadedWithin", "Downloaded within", "Days", func(s *queries.CleanupSpecInput) *int { return &s.Keep.DownloadedWithin }},
	{"spec.remove.olderThan", "Older than", "Days", func(s *queries.CleanupSpecInput) *int { return &s.Remove.OlderThan }},
	{"spec.remove.notDownloadedFor", "Not downloaded for", "Days", func(s *queries.CleanupSpecInput) *int { return &s.Remove.NotDownloadedFor }},
	{"spec.remove.yankedFor", "Yanked for", "Days", func(s *queries.CleanupSpecInput) *int { return &s.Remove.YankedFor }},
}

// downloadsInput is the one number that is larger.
const downloadsInput = "spec.keep.downloads"

// cleanupLists are the inputs of its patterns, which are written with spaces between.
var cleanupLists = []struct {
	name, label, help, placeholder string
	in                             func(*queries.CleanupSpecInput) *[]string
}{
	{"spec.select.types", "Package types", "All when empty.", "container maven", func(s *queries.CleanupSpecInput) *[]string { return &s.Select.Types }},
	{"spec.select.include", "Packages", "All when empty.", "team/*", func(s *queries.CleanupSpecInput) *[]string { return &s.Select.Include }},
	{"spec.select.exclude", "Except", "", "*-base", func(s *queries.CleanupSpecInput) *[]string { return &s.Select.Exclude }},
	{"spec.keep.versions", "Versions", "Globs, or re: and a regular expression.", "v1.* *-lts", func(s *queries.CleanupSpecInput) *[]string { return &s.Keep.Versions }},
	{"spec.keep.tags", "Tags", "", "stable release-*", func(s *queries.CleanupSpecInput) *[]string { return &s.Keep.Tags }},
	{"spec.remove.versions", "Versions", "One of them has to match.", "*-SNAPSHOT pr-*", func(s *queries.CleanupSpecInput) *[]string { return &s.Remove.Versions }},
}

// cleanupFlags are its switches.
var cleanupFlags = []struct {
	name, label, help string
	in                func(*queries.CleanupSpecInput) *bool
}{
	{"takesLastVersion", "May take the highest release", "Else a package always keeps it.", func(s *queries.CleanupSpecInput) *bool { return &s.TakesLastVersion }},
	{"takesLatestTag", "May take what latest names", "Else the tag latest protects its version.", func(s *queries.CleanupSpecInput) *bool { return &s.TakesLatestTag }},
	{"matchFullName", "Patterns see package/version", "Else the version alone.", func(s *queries.CleanupSpecInput) *bool { return &s.MatchFullName }},
	{"caseSensitive", "Patterns tell upper from lower case", "", func(s *queries.CleanupSpecInput) *bool { return &s.CaseSensitive }},
}

const (
	everythingElse = "everything"
	byConditions   = "conditions"
)

// readCleanupRule reads the form; the problem is a number that is none.
func readCleanupRule(form url.Values) (rule queries.CleanupRuleInput, bad *problem) {
	text := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	rule.Name, rule.Schedule, rule.Enabled = text("name"), text("schedule"), text("enabled") != ""
	number := func(name string, bits int) int64 {
		if text(name) == "" {
			return 0
		}
		n, err := strconv.ParseInt(text(name), 10, bits)
		if err != nil && bad == nil {
			bad = &problem{code: "INVALID", field: name, message: "this is not a whole number"}
		}
		return n
	}
	spec := &rule.Spec
	for _, in := range cleanupNumbers {
		*in.in(spec) = int(number(in.name, 32))
	}
	spec.Keep.Downloads = number(downloadsInput, 64)
	for _, in := range cleanupLists {
		*in.in(spec) = strings.Fields(form.Get(in.name))
	}
	for _, in := range cleanupFlags {
		*in.in(spec) = slices.Contains(form["flag"], in.name)
	}
	spec.Select.Prereleases, spec.Action = text("prereleases"), text("action-of-rule")
	spec.Remove.Prereleases = text("spec.remove.prereleases") != ""
	spec.Remove.Everything = text("what") == everythingElse
	return rule, bad
}

// cleanupFormOf shows a rule in the form, with what is wrong with it.
func cleanupFormOf(rule queries.CleanupRuleInput, p *problem) cleanupForm {
	f := cleanupForm{
		Enabled:     rule.Enabled,
		Name:        ui.Field{Name: "name", Label: "Name", Value: rule.Name, Required: true, Placeholder: "old builds", Error: p.on("name")},
		Schedule:    ui.Field{Name: "schedule", Label: "Schedule", Value: rule.Schedule, Placeholder: "the server's", Help: "A cron expression in UTC, or @daily.", Error: p.on("schedule"), Mono: true},
		Fields:      map[string]ui.Field{},
		Everything:  rule.Spec.Remove.Everything,
		Prereleases: rule.Spec.Remove.Prereleases,
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	for _, in := range cleanupNumbers {
		f.Fields[in.name] = ui.Field{Name: in.name, Label: in.label, Help: in.help, Type: "number", Value: number(int64(*in.in(&rule.Spec))), Error: p.on(in.name)}
	}
	f.Fields[downloadsInput] = ui.Field{Name: downloadsInput, Label: "Downloads", Help: "From how many on", Type: "number", Value: number(rule.Spec.Keep.Downloads), Error: p.on(downloadsInput)}
	shown := []string{"name", "schedule", downloadsInput}
	for _, in := range cleanupNumbers {
		shown = append(shown, in.name)
	}
	for _, in := range cleanupLists {
		shown = append(shown, in.name)
		f.Fields[in.name] = ui.Field{
			Name: in.name, Label: in.label, Help: in.help, Placeholder: in.placeholder, Value: strings.Join(*in.in(&rule.Spec), " "), Error: p.on(in.name), Mono: true,
		}
	}
	for _, in := range cleanupFlags {
		f.Flags = append(f.Flags, ui.Option{Value: in.name, Label: in.label, Help: in.help, Selected: *in.in(&rule.Spec)})
	}
	f.Versions = options(rule.Spec.Select.Prereleases, "", "All versions", "never", "Releases alone", "only", "Prereleases alone")
	f.Actions = options(rule.Spec.Action, "", "As the type prefers", "delete", "Delete", "yank", "Yank where the type can")
	f.Problem = p.apart(shown...)
	return f
}

// options are choices given as value and label in turn.
func options(selected string, pairs ...string) []ui.Option {
	var all []ui.Option
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, ui.Option{Value: pair[0], Label: pair[1], Selected: pair[0] == selected})
	}
	return all
}

// summary says in a line what a rule does.
func summary(rule queries.CleanupRuleInput) string {
	spec := rule.Spec
	var keep, remove []string
	say := func(to *[]string, n int, format string) {
		if n > 0 {
			*to = append(*to, fmt.Sprintf(format, n))
		}
	}
	say(&keep, spec.Keep.Newest, "the newest %d")
	say(&keep, spec.Keep.NewestPublished, "the %d published last")
	say(&keep, spec.Keep.NewestPerMajor, "the newest %d of each major line")
	say(&keep, spec.Keep.NewestPerMinor, "the newest %d of each minor line")
	say(&keep, spec.Keep.PublishedWithin, "what was published within %d days")
	say(&keep, spec.Keep.DownloadedWithin, "what was downloaded within %d days")
	if n := spec.Keep.Downloads; n > 0 {
		keep = append(keep, fmt.Sprintf("what was downloaded %d times", n))
	}
	keep = append(append(keep, spec.Keep.Versions...), spec.Keep.Tags...)
	say(&remove, spec.Remove.OlderThan, "older than %d days")
	say(&remove, spec.Remove.NotDownloadedFor, "not downloaded for %d days")
	say(&remove, spec.Remove.YankedFor, "yanked for %d days")
	if len(spec.Remove.Versions) > 0 {
		remove = append(remove, "like "+strings.Join(spec.Remove.Versions, " or "))
	}
	if spec.Remove.Prereleases {
		remove = append(remove, "a prerelease")
	}
	what := "all packages"
	if len(spec.Select.Types) > 0 {
		what = strings.Join(spec.Select.Types, ", ")
	}
	if len(spec.Select.Include) > 0 {
		what += " named " + strings.Join(spec.Select.Include, " or ")
	}
	text := "Of " + what + ", "
	if len(keep) > 0 {
		text += "keeps " + strings.Join(keep, ", ") + " and "
	}
	if spec.Remove.Everything {
		return text + "removes the rest."
	}
	return text + "removes what is " + strings.Join(remove, " and ") + "."
}
