package rpm_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// updates is updateinfo.xml as clients read it.
type updates struct {
	Updates []struct {
		From        string `xml:"from,attr"`
		Status      string `xml:"status,attr"`
		Type        string `xml:"type,attr"`
		Version     string `xml:"version,attr"`
		ID          string `xml:"id"`
		Title       string `xml:"title"`
		Severity    string `xml:"severity"`
		Description string `xml:"description"`
		Issued      dated  `xml:"issued"`
		Updated     dated  `xml:"updated"`
		References  []struct {
			Href string `xml:"href,attr"`
		} `xml:"references>reference"`
		Collections []struct {
			Short    string `xml:"short,attr"`
			Name     string `xml:"name"`
			Packages []struct {
				Name    string `xml:"name,attr"`
				Epoch   string `xml:"epoch,attr"`
				Version string `xml:"version,attr"`
				Release string `xml:"release,attr"`
				Arch    string `xml:"arch,attr"`
				File    string `xml:"filename"`
			} `xml:"package"`
		} `xml:"pkglist>collection"`
	} `xml:"update"`
}

type dated struct {
	Date string `xml:"date,attr"`
}

const advisory = `[null, {"id":"ENT-1","from":"ann@example.com","status":"final","type":"security","version":"2","title":"fixes <it>","severity":"Important",
	"description":"bad & worse","issued":{"date":"2026-01-02 03:04:05"},
	"references":[null,{"href":"https://example.com/1","id":"CVE-1","title":"one","type":"cve"}],
	"pkg_list":[null,{"short":"el9","name":"EL 9","packages":[null,{"name":"app","version":"2","release":"1","arch":"x86_64","src":"app.src.rpm","filename":"app.rpm"}]}]}]`

func TestErrata(t *testing.T) {
	r := newRepository(t)
	r.upload("el9", pack("app", "2", "x86_64"))
	r.upload("el9", pack("app", "2", "aarch64"))
	r.upload("el9", pack("tool", "1", "x86_64"))
	r.upload("", pack("app", "2", "x86_64"))
	errata := place("el9") + "/package/app/2-1/errata"
	if got := r.get(errata); got != "[]\n" {
		t.Errorf("without advisories there are %s", got)
	}
	r.Want(t, 401, "", "POST", errata, advisory)
	r.Want(t, 403, "rea", "POST", errata, advisory)
	r.Want(t, 200, "wim", "POST", errata, advisory)
	// The same again adds nothing; another version, another package and
	// another collection do.
	r.Want(t, 200, "wim", "POST", errata, advisory)
	more := strings.NewReplacer(`"app"`, `"tool"`, "CVE-1", "CVE-2", "EL 9", "EL 9.1", "2026-01-02", "2026-02-02").Replace(advisory)
	r.Want(t, 200, "wim", "POST", place("el9")+"/package/tool/1-1/errata", more)
	r.Want(t, 200, "wim", "POST", errata, `[{"id":"ENT-0","type":"bugfix","title":7}]`)

	doc, documents := r.read("el9")
	if doc.Data[3].Type != "updateinfo" {
		t.Fatalf("repomd.xml names %+v", doc.Data)
	}
	var got updates
	unmarshal(t, documents["updateinfo"], &got)
	if len(got.Updates) != 2 {
		t.Fatalf("the advisories are\n%s", documents["updateinfo"])
	}
	own, merged := got.Updates[0], got.Updates[1]
	if own.ID != "ENT-0" || own.Title != "7" || own.Type != "bugfix" || own.Status != "final" || own.Issued.Date == "" || own.Issued != own.Updated || len(own.Collections) != 1 {
		t.Errorf("the one that names no package is\n%+v", own)
	}
	if packages := own.Collections[0].Packages; len(packages) != 2 || packages[0].Name != "app" || packages[0].Epoch != "0" || packages[1].Arch != "aarch64" || packages[1].File != "app-2-1.aarch64.rpm" {
		t.Errorf("it is about %+v", own.Collections)
	}
	if merged.ID != "ENT-1" || merged.From != "ann@example.com" || merged.Type != "security" || merged.Version != "2" || merged.Severity != "Important" ||
		merged.Title != "fixes <it>" || merged.Description != "bad & worse" || merged.Issued.Date != "2026-01-02 03:04:05" || merged.Updated.Date <= merged.Issued.Date {
		t.Errorf("the merged one is\n%+v", merged)
	}
	if len(merged.References) != 2 || len(merged.Collections) != 2 || len(merged.Collections[0].Packages) != 1 || merged.Collections[1].Name != "EL 9.1" || merged.Collections[0].Packages[0].Epoch != "0" {
		t.Errorf("the merged one refers to %+v and is about %+v", merged.References, merged.Collections)
	}
	// Another group knows nothing of it.
	if doc, _ := r.read(""); len(doc.Data) != 3 {
		t.Errorf("the root group has %+v", doc.Data)
	}
	var listed []map[string]any
	if err := json.Unmarshal([]byte(r.get(errata)), &listed); err != nil || len(listed) != 2 || listed[0]["id"] != "ENT-1" {
		t.Errorf("the version has %v, %v", listed, err)
	}

	// They stay while a package of the version is there, and go with the last.
	r.Want(t, 204, "ann", "DELETE", place("el9")+"/package/app/2-1/x86_64", "")
	if got := r.get(errata); !strings.Contains(got, "ENT-0") {
		t.Errorf("after one of two packages is gone: %s", got)
	}
	r.Want(t, 204, "ann", "DELETE", place("el9")+"/package/app/2-1/aarch64", "")
	r.Want(t, 404, "", "GET", errata, "")
	_, documents = r.read("el9")
	if got := documents["updateinfo"]; strings.Contains(got, "ENT-0") || !strings.Contains(got, "ENT-1") {
		t.Errorf("what is left is\n%s", got)
	}
	r.Want(t, 200, "", "GET", root+"/package/app/2-1/x86_64", "")
	r.Want(t, 204, "ann", "DELETE", root+"/package/app/2-1/x86_64", "")
	r.Want(t, 404, "", "GET", root+"/package/app/2-1/errata", "")
	r.wantSound()
}

func TestDeletedErrata(t *testing.T) {
	r := newRepository(t)
	r.upload("", pack("app", "2", "x86_64"))
	errata := root + "/package/app/2-1/errata"
	r.Want(t, 404, "wim", "DELETE", errata+"/ENT-1", "")
	r.Want(t, 200, "wim", "POST", errata, advisory)
	r.Want(t, 200, "wim", "POST", errata, `[{"id":"ENT-2"},{"id":"ENT-3"}]`)
	r.Want(t, 404, "wim", "DELETE", errata+"/ENT-4", "")
	r.Want(t, 204, "wim", "DELETE", errata+"/ENT-2", "")
	if got := r.get(errata); strings.Contains(got, "ENT-2") || !strings.Contains(got, "ENT-3") {
		t.Errorf("left are %s", got)
	}
	r.Want(t, 204, "wim", "DELETE", errata, "")
	r.Want(t, 404, "wim", "DELETE", errata, "")
	if doc, _ := r.read(""); len(doc.Data) != 3 {
		t.Errorf("without advisories there is %+v", doc.Data)
	}
	r.Want(t, 200, "wim", "POST", errata, advisory)
	if doc, _ := r.read(""); len(doc.Data) != 4 {
		t.Errorf("with advisories again there is %+v", doc.Data)
	}
	// What falls behind those that are kept takes its advisories along.
	r.Want(t, 200, "ann", "PUT", root+"/repodata", `{"keepVersions":1}`)
	r.upload("", pack("app", "3", "x86_64"))
	r.Want(t, 404, "", "GET", errata, "")
	if doc, _ := r.read(""); len(doc.Data) != 3 {
		t.Errorf("of a version that is gone there is %+v", doc.Data)
	}
	r.wantSound()
}

func TestRefusedErrata(t *testing.T) {
	r := newRepository(t)
	r.upload("el9", pack("app", "2", "x86_64"))
	for name, body := range map[string]string{
		"nothing": "", "null": "null", "an object": `{"id":"A"}`, "a number": `[7]`, "no id": `[{}]`, "a blank id": `[{"id":" "}]`, "a path": `[{"id":"a/b"}]`,
		"a long id": `[{"id":"` + strings.Repeat("x", 201) + `"}]`, "a title that is a list": `[{"id":"A","title":[]}]`, "half": `[{"id":"A"}`,
		"a package without a name": `[{"id":"A","pkg_list":[{"packages":[{"version":"1"}]}]}]`,
	} {
		if res := r.Do(t, "wim", "POST", place("el9")+"/package/app/2-1/errata", body); res.StatusCode != 400 {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.Body)
		}
	}
	r.Want(t, 413, "wim", "POST", place("el9")+"/package/app/2-1/errata", `[{"id":"A","title":"`+strings.Repeat("x", 5<<20)+`"}]`)
	for _, path := range []string{"/package/app/2-1/errata", "/el9/package/app/1-1/errata", "/el9/package/other/2-1/errata", "/el9/package/app/0-2-1/errata", "/el9/package/app/2/errata", "/el9/package/App/2-1/errata"} {
		r.Want(t, 404, "wim", "POST", root+path, advisory)
		r.Want(t, 404, "", "GET", root+path, "")
	}
	if doc, _ := r.read("el9"); len(doc.Data) != 3 {
		t.Errorf("there is %+v", doc.Data)
	}
}
