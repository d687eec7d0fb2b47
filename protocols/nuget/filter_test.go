package nuget

import (
	"slices"
	"strings"
	"testing"

	"entrepot/registry"
)

// anEntity is the listed stable version 1.2.0 of Acme.O'Tool, written 1.2.
func anEntity() *entity {
	v, _ := parseVersion("1.2")
	e := &entity{latest: true}
	e.Name, e.Version, e.version = "Acme.O'Tool", "1.2", v
	e.manifest = &manifest{Title: "The Tool", Description: "It works", Tags: []string{"cli", "Fast"}}
	return e
}

func TestFilters(t *testing.T) {
	for text, want := range map[string]bool{
		"Id eq 'Acme.O''Tool'":                                  true,
		"tolower(Id) eq 'acme.o''tool'":                         true,
		"'ACME.O''TOOL' eq Id":                                  true,
		"Id ne 'other'":                                         true,
		"Id eq 'other'":                                         false,
		"Version eq '1.2.0.0'":                                  true,
		"NormalizedVersion eq '1.2.0'":                          true,
		"Version eq 'none'":                                     false,
		"Version ne 'none'":                                     true,
		"NormalizedVersion ge '1.2' and Version lt '1.10'":      true,
		"Version gt '1.2'":                                      false,
		"Version le '1.2.0-beta'":                               false,
		"IsLatestVersion":                                       true,
		"IsLatestVersion eq true":                               true,
		"IsLatestVersion ne true":                               false,
		"not IsLatestVersion":                                   false,
		"not (IsPrerelease or IsAbsoluteLatestVersion)":         true,
		"not not Listed":                                        true,
		"IsPrerelease eq false and Listed":                      true,
		"IsPrerelease or Listed and IsAbsoluteLatestVersion":    false, // and binds closer
		"(IsLatestVersion or IsPrerelease) and Listed":          true,
		"substringof('tool', Title)":                            true,
		"substringof('fast', tolower(Tags)) eq true":            true,
		"startswith(Id,'acme.') and endswith(Description,'KS')": true,
		"endswith(Id,'x')":                                      false,
		"Title eq null":                                         false,
		"Title ne null":                                         true,
		"tolower(Title) eq 'the tool'":                          true,
		" true ":                                                true,
		"false or null eq null":                                 true,
	} {
		f, err := parseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if f.holds(anEntity()) != want {
			t.Errorf("%s does not give %v", text, want)
		}
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	for _, text := range []string{
		"Id", "'a'", "null", "Id eq", "eq 'a'", "Id eq 'a", "Id eq 'a' and", "Id eq 'a' or Title", "(Id eq 'a'", "Id eq 'a')", "Id eq 'a' Id",
		"Owners eq 'a'", "DownloadCount gt 5", "DownloadCount eq 5", "Published ge datetime'2020-01-01'", "Id eq 5", "Id gt 'a'", "Version gt 'x'",
		"Version gt IsPrerelease", "IsPrerelease eq 'true'", "tolower(IsPrerelease) eq 'a'", "tolower(Id,Id) eq 'a'", "substringof(Id)", "substringof()",
		"trim(Id) eq 'a'", "length(Id)", "not Id", "Id == 'a'", "id eq 'a'", "Id in ('a')", "$it", "IsPrerelease and Id", "Id mod 2",
		strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), strings.Repeat("not ", 200) + "true", "Id eq '" + strings.Repeat("a", maxFilter) + "'",
	} {
		if _, err := parseFilter(text); registry.CodeOf(err) != registry.Invalid {
			t.Errorf("%.80s: %v", text, err)
		}
	}
}

func TestFilterNames(t *testing.T) {
	for text, want := range map[string][]string{
		"Id eq 'A'":                                 {"a"},
		"tolower(Id) eq 'a' and IsLatestVersion":    {"a"},
		"IsLatestVersion and (Id eq 'A')":           {"a"},
		"(Id eq 'a') or (Id eq 'B')":                {"a", "b"},
		"Id eq 'a' or Listed":                       nil,
		"not (Id eq 'a')":                           nil,
		"Id ne 'a'":                                 nil,
		"substringof('a', Id)":                      nil,
		"(Id eq 'a' or Id eq 'b') and Listed":       {"a", "b"},
		"(Id eq 'a') eq true":                       nil,
		"Listed or Id eq 'a' and Version eq '1.0'":  nil,
		"Listed and (Id eq 'a' and Version eq '1')": {"a"},
	} {
		f, err := parseFilter(text)
		if err != nil || !slices.Equal(f.names, want) {
			t.Errorf("%s: %q, %v; want %q", text, f.names, err, want)
		}
	}
}

func TestOrders(t *testing.T) {
	for _, text := range []string{"Id", "Version desc", "Id asc,Version desc", " Published , DownloadCount desc", "NormalizedVersion"} {
		if _, err := parseOrder(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{",", "Id,", "id", "Title", "Id down", "Id desc desc", "concat(Title,Id)", strings.Repeat("Id,", 20) + "Id"} {
		if _, err := parseOrder(text); registry.CodeOf(err) != registry.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for resource, want := range map[string]string{
		"Packages(Id='A',Version='1.0')":       "A@1.0",
		"Packages(Version='1.0',Id='A')":       "A@1.0",
		"Packages( Id = 'A' , Version='1.0' )": "A@1.0",
		"Packages(Id='O''Tool',Version='1')":   "O'Tool@1",
		"Packages()":                           "", "Packages(Id='A')": "", "Packages(Id='A',Version='1',X='y')": "", "Packages('A','1')": "",
		"Packages(Id=A,Version=1)": "", "Packages(Id='A' Version='1')": "", "Search()": "", "Packages(Id='A',Version='1'": "",
	} {
		id, v, ok := parseKey(resource)
		if ok != (want != "") || ok && id+"@"+v != want {
			t.Errorf("parseKey(%s) = %q, %q, %v", resource, id, v, ok)
		}
	}
}
