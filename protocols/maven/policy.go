package maven

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"time"

	"entrepot/ent/schema"
	"entrepot/registry"
)

// overwrite says what a second upload of a file does. Timestamped files are
// unique: no client ever means to write one twice. The other files of a
// snapshot are those of its newest build, whoever the client; of releases the
// owner decides.
func overwrite(settings schema.OwnerSettings, l location) registry.Overwrite {
	if isSnapshot(l.version) {
		if _, unique := parseBuild(l.artifact, l.version, l.file); unique {
			return registry.OverwriteNever
		}
		return registry.OverwriteAlways
	}
	return registry.OverwriteBy(settings.MavenRedeploy, func(pattern string) bool {
		ok, err := path.Match(pattern, l.name())
		return err == nil && ok
	})
}

// checkVersionPolicy refuses versions of the kind that the owner does not
// take. Error: Forbidden.
func checkVersionPolicy(settings schema.OwnerSettings, version string) error {
	switch {
	case settings.MavenVersions == schema.MavenReleases && isSnapshot(version):
		return registry.Errorf(registry.Forbidden, "this owner takes releases alone, and %s is a snapshot", version)
	case settings.MavenVersions == schema.MavenSnapshots && !isSnapshot(version):
		return registry.Errorf(registry.Forbidden, "this owner takes snapshots alone, and %s is a release", version)
	}
	return nil
}

// expiry is the owner's rule for old builds of snapshots.
func expiry(settings schema.OwnerSettings) *registry.Expiry {
	if settings.MavenKeepBuilds <= 0 && settings.MavenKeepDays <= 0 {
		return nil
	}
	return &registry.Expiry{
		Concerns: isSnapshot,
		Files: func(files []registry.FileState, at time.Time) []registry.FileState {
			return oldBuilds(settings, files, at)
		},
	}
}

// oldBuilds picks the files of builds that are neither among the newest nor
// young. The age of a build is that of its youngest file. The newest build
// always stays, and so do files that all builds share.
func oldBuilds(settings schema.OwnerSettings, files []registry.FileState, at time.Time) []registry.FileState {
	uploaded := map[build]time.Time{}
	for _, f := range files {
		if b, ok := buildOf(f.Name); ok && f.CreatedAt.After(uploaded[b]) {
			uploaded[b] = f.CreatedAt
		}
	}
	builds := slices.SortedFunc(maps.Keys(uploaded), func(a, b build) int {
		return -cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.timestamp, b.timestamp))
	})
	old := map[build]bool{}
	for i, b := range builds {
		tooMany := settings.MavenKeepBuilds > 0 && i >= settings.MavenKeepBuilds
		tooOld := settings.MavenKeepDays > 0 && at.Sub(uploaded[b]) > time.Duration(settings.MavenKeepDays)*24*time.Hour
		old[b] = i > 0 && (tooMany || tooOld)
	}
	var gone []registry.FileState
	for _, f := range files {
		if b, ok := buildOf(f.Name); ok && old[b] {
			gone = append(gone, f)
		}
	}
	return gone
}
