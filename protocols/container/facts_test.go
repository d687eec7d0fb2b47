package container

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/registry"
)

const twoLayers = `"layers":[{"mediaType":"x","digest":"` + someDigest + `","size":10},{"mediaType":"x","digest":"` + someDigest + `","size":20}]`

// described is what is kept of an image with the configuration.
func described(t *testing.T, manifestText, contentType, config string) (metadata, registry.Facts) {
	t.Helper()
	m, err := parseManifest([]byte(manifestText), contentType)
	if err != nil {
		t.Fatal(err)
	}
	var c configuration
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		t.Fatal(err)
	}
	about := metadata{Kind: m.kind(), MediaType: m.MediaType, Annotations: texts(m.Annotations)}
	return about, about.addConfig(m, c)
}

func TestImageFacts(t *testing.T) {
	const config = `{"architecture":"arm64","os":"linux","variant":"v8","created":"2026-01-02T03:04:05Z","author":"Ann",
		"config":{"Labels":{"org.opencontainers.image.description":"From a label","org.opencontainers.image.licenses":"MIT","org.opencontainers.image.revision":"abc"}},
		"history":[{"created_by":"/bin/sh -c #(nop) ADD file:1 in / "},{"created_by":"ENV A=b","empty_layer":true},{"created_by":"/bin/sh -c make"}]}`
	about, known := described(t, `{"schemaVersion":2,`+someConfig+`,`+twoLayers+`,"annotations":{"org.opencontainers.image.description":"From an annotation"}}`,
		"application/vnd.oci.image.manifest.v1+json", config)
	if known.Summary != "From an annotation" || known.License != "MIT" || !slices.Equal(known.Authors, []string{"Ann"}) {
		t.Errorf("facts %+v", known)
	}
	raw, err := json.Marshal(about)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := facts(&ent.PackageVersion{Version: someDigest, Metadata: raw})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range shown {
		got[f.Name] = f.Value + fmt.Sprint(f.Rows)
	}
	for name, want := range map[string]string{
		"kind": "Image[]", "digest": someDigest + "[]", "platform": "linux/arm64/v8[]", "created": "2026-01-02T03:04:05Z[]", "revision": "abc[]",
		"layers": "[[ADD file:1 in / " + someDigest + " 10] [ENV A=b  ] [RUN make " + someDigest + " 20]]",
	} {
		if strings.ReplaceAll(got[name], "/  ", "/ ") != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

func TestHistoryThatDoesNotFit(t *testing.T) {
	for _, history := range []string{`[]`, `[{"created_by":"a"}]`, `[{"created_by":"a"},{"created_by":"b"},{"created_by":"c"}]`} {
		about, _ := described(t, `{"schemaVersion":2,`+someConfig+`,`+twoLayers+`}`, "application/vnd.oci.image.manifest.v1+json", `{"history":`+history+`}`)
		if len(about.Layers) != 2 || about.Layers[0].Command != "" || about.Layers[1].Size != 20 {
			t.Errorf("history %s gives %+v", history, about.Layers)
		}
	}
}

func TestChartFacts(t *testing.T) {
	const chart = `{"name":"hello","version":"1.0.0","description":"Says hello","home":"https://example.com","sources":["https://git.example.com"],
		"keywords":["greeting"],"maintainers":[{"name":"Ann"}],"dependencies":[{"name":"db","version":"^1","repository":"oci://x","condition":"db.enabled"}],
		"annotations":{"artifacthub.io/license":"MIT"}}`
	about, known := described(t, strings.Replace(`{"schemaVersion":2,`+someConfig+`}`, "application/vnd.oci.image.config.v1+json", helmConfig, 1),
		"application/vnd.oci.image.manifest.v1+json", chart)
	if about.Kind != kindHelm || known.Summary != "Says hello" || known.Homepage != "https://example.com" || known.RepositoryURL != "https://git.example.com" ||
		known.License != "MIT" || !slices.Equal(known.Keywords, []string{"greeting"}) || !slices.Equal(known.Authors, []string{"Ann"}) ||
		!slices.Equal(known.Dependencies, []registry.Dependency{{Group: "dependencies", Name: "db", Requirement: "^1", Optional: true}}) {
		t.Errorf("%s: %+v", about.Kind, known)
	}
}

func TestTextsAreStorable(t *testing.T) {
	long := strings.Repeat("ü", maxText)
	if got := text(long, maxText); len(got) > maxText || !strings.HasPrefix(long, got) || strings.Contains(got, "\ufffd") {
		t.Errorf("cut to %d bytes", len(got))
	}
	if got := text("a\x00b\xff", maxText); got != "ab\ufffd" {
		t.Errorf("text = %q", got)
	}
}

func TestInstructions(t *testing.T) {
	meta := func(kind string) *ent.PackageVersion {
		raw, _ := json.Marshal(metadata{Kind: kind})
		return &ent.PackageVersion{Version: someDigest, Metadata: raw}
	}
	for _, tt := range []struct {
		name string
		in   registry.InstructionsInput
		want []string
		not  []string
	}{
		{"an image", registry.InstructionsInput{BaseURL: "https://reg.example.com", Owner: "Acme", Package: &ent.Pkg{NormalizedName: "group/app"}, Version: meta(kindImage), Tags: []string{"1.0"}},
			[]string{
				"docker pull reg.example.com/acme/group/app:1.0", "podman pull reg.example.com/acme/group/app:1.0",
				"skopeo copy --all docker://reg.example.com/acme/group/app:1.0 oci:app", "crane pull reg.example.com/acme/group/app:1.0",
				"docker pull reg.example.com/acme/group/app@" + someDigest, "docker push reg.example.com/acme/group/app:1.0",
			}, []string{"login", "--plain-http", "tls-verify"}},
		{"an image without a tag", registry.InstructionsInput{BaseURL: "https://h", Owner: "a", Package: &ent.Pkg{NormalizedName: "app"}, Version: meta(kindIndex)},
			[]string{"docker pull h/a/app@" + someDigest}, []string{"docker pull h/a/app:"}},
		{"a private image over plain HTTP", registry.InstructionsInput{BaseURL: "http://h:8080", Owner: "a", Package: &ent.Pkg{NormalizedName: "app"}, Private: true},
			[]string{"docker login h:8080", "insecure-registries", "skopeo login --tls-verify=false", "oras login --plain-http", "helm registry login h:8080 --plain-http"}, nil},
		{"a chart", registry.InstructionsInput{BaseURL: "https://h", Owner: "a", Package: &ent.Pkg{NormalizedName: "charts/hello"}, Version: meta(kindHelm), Tags: []string{"1.1.0_build.5"}},
			[]string{"helm install my-release oci://h/a/charts/hello --version 1.1.0+build.5", "helm push CHART.tgz oci://h/a/charts"}, []string{"docker"}},
		{"an artifact", registry.InstructionsInput{BaseURL: "https://h", Owner: "a", Package: &ent.Pkg{NormalizedName: "thing"}, Version: meta(kindArtifact), Tags: []string{"1"}},
			[]string{"oras pull h/a/thing:1", "oras pull h/a/thing@" + someDigest, "oras push h/a/thing:1 FILE"}, []string{"docker"}},
		{"nothing yet", registry.InstructionsInput{BaseURL: "https://h", Owner: "a"},
			[]string{"docker login h", "docker push h/a/my-app:1.0", "helm push CHART.tgz oci://h/a", "oras push h/a/my-app:1.0 FILE"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all strings.Builder
			for _, i := range instructions(tt.in) {
				for _, step := range i.Steps {
					all.WriteString(step.Body + "\n")
					if strings.Contains(step.Body, "TOKEN") != (step.SecretPlaceholder == "TOKEN") {
						t.Errorf("placeholder of %q is %q", step.Body, step.SecretPlaceholder)
					}
				}
			}
			for _, want := range tt.want {
				if !strings.Contains(all.String(), want) {
					t.Errorf("%q is missing in\n%s", want, all.String())
				}
			}
			for _, not := range tt.not {
				if strings.Contains(all.String(), not) {
					t.Errorf("%q is in\n%s", not, all.String())
				}
			}
		})
	}
}
