package maven

import "testing"

func TestParseBuild(t *testing.T) {
	for _, tt := range []struct {
		artifact, version, file string
		want                    build
		ok                      bool
	}{
		{"lib", "1.1.0-SNAPSHOT", "lib-1.1.0-20261120.093322-1.jar", build{"20261120.093322", 1, ".jar"}, true},
		{"lib", "1.1.0-SNAPSHOT", "lib-1.1.0-20261120.093322-12-sources.jar", build{"20261120.093322", 12, "-sources.jar"}, true},
		{"lib", "SNAPSHOT", "lib-20261120.093322-1.pom", build{"20261120.093322", 1, ".pom"}, true},
		{"my-lib", "1-beta-SNAPSHOT", "my-lib-1-beta-20261120.093322-3.tar.gz", build{"20261120.093322", 3, ".tar.gz"}, true},
		{"lib", "1.1.0-SNAPSHOT", "lib-1.1.0-SNAPSHOT.jar", build{}, false},
		{"lib", "1.1.0-SNAPSHOT", "lib-1.2.0-20261120.093322-1.jar", build{}, false},
		{"lib", "1.1.0-SNAPSHOT", "lib-1.1.0-20261120.093322-1", build{}, false},
		{"lib", "1.1.0-SNAPSHOT", "lib-1.1.0-20261120-1.jar", build{}, false},
		{"lib", "1.1.0-SNAPSHOT", "lib-1.1.0-20261120.093322-99999999999.jar", build{}, false},
		{"lib", "1.1.0", "lib-1.1.0-20261120.093322-1.jar", build{}, false},
	} {
		got, ok := parseBuild(tt.artifact, tt.version, tt.file)
		if got != tt.want || ok != tt.ok {
			t.Errorf("parseBuild(%q, %q) = %+v, %v", tt.version, tt.file, got, ok)
		}
		if _, any := buildOf(tt.file); tt.ok && !any {
			t.Errorf("buildOf(%q) finds nothing", tt.file)
		}
	}
}

func TestSplitSuffix(t *testing.T) {
	known := map[string]string{"-bin.my.ext": "my.ext", "-a.b.jar": "jar", "-odd.zip": "not its end"}
	for suffix, want := range map[string][2]string{
		".jar":                 {"", "jar"},
		".tar.gz":              {"", "tar.gz"},
		".jar.asc":             {"", "jar.asc"},
		"-sources.jar":         {"sources", "jar"},
		"-sources.jar.asc":     {"sources", "jar.asc"},
		"-bin.tar.gz":          {"bin", "tar.gz"},
		"-bin.tar.bz2.asc":     {"bin", "tar.bz2.asc"},
		"-linux-x86_64.so":     {"linux-x86_64", "so"},
		"-jdk1.8.jar":          {"jdk1.8", "jar"},
		"-x.sigstore.json":     {"x.sigstore", "json"},
		"-x.jar.sigstore":      {"x", "jar.sigstore"},
		"-cyclonedx.json":      {"cyclonedx", "json"},
		"-bin.my.ext":          {"bin", "my.ext"},
		"-a.b.jar":             {"a.b", "jar"},
		"-odd.zip":             {"odd", "zip"},
		"-x.jar.sigstore.json": {"x", "jar.sigstore.json"},
	} {
		if classifier, extension := splitSuffix(suffix, known); [2]string{classifier, extension} != want {
			t.Errorf("splitSuffix(%q) = %q, %q, want %q", suffix, classifier, extension, want)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("com/acme/lib/1.0-SNAPSHOT/lib-1.0-20261120.093322-1-bin.tar.gz.sha1")
	f.Add("com/acme/maven-metadata.xml.md5")
	f.Add("a/../b/c//d")
	f.Add("0/0/0/0 .sha1")
	f.Fuzz(func(t *testing.T, path string) {
		l, err := parsePath(path)
		if err != nil {
			return
		}
		for _, part := range []string{l.artifact, l.version, l.file} {
			if l.kind == publishedFile && !validPart(part) {
				t.Errorf("%q gave the part %q", path, part)
			}
		}
		if b, ok := parseBuild(l.artifact, l.version, l.file); ok {
			if got := l.artifact + "-" + b.value(l.version) + b.suffix; len(b.timestamp) != 15 || len(got) > len(l.file) {
				t.Errorf("%q is of the build %+v", l.file, b)
			}
			splitSuffix(b.suffix, nil)
		}
	})
}
