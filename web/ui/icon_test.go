package ui

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every icon a template names is in the sprite, and the sprite carries none that nothing shows.
func TestSpriteMatchesUse(t *testing.T) {
	sprite, err := os.ReadFile("../static/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, m := range regexp.MustCompile(`<symbol id="([^"]+)"`).FindAllStringSubmatch(string(sprite), -1) {
		have[m[1]] = false
	}
	quoted := regexp.MustCompile(`"([a-z][a-z0-9-]*)"`)
	direct := regexp.MustCompile(`Icon\("([a-z0-9-]+)"[,)]`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".templ") && (!strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_templ.go")) {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range direct.FindAllStringSubmatch(string(source), -1) {
			if _, ok := have[m[1]]; !ok {
				t.Errorf("%s shows icon %q, which is not in the sprite", path, m[1])
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(string(source), -1) {
			if _, ok := have[m[1]]; ok {
				have[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range typesWithIcon {
		if _, ok := have["type-"+typ]; !ok {
			t.Errorf("no icon for the package type %q", typ)
		}
		have["type-"+typ] = true
	}
	for name, used := range have {
		if !used {
			t.Errorf("icon %q is in the sprite and nothing shows it", name)
		}
	}
}
