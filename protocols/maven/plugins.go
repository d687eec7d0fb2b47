package maven

import (
	"cmp"
	"net/http"
	"slices"

	"entrepot/protocols"
	"entrepot/registry"
)

// What is noted on a package that is a Maven plugin: for `mvn prefix:goal`
// Maven looks through the documents of groups.
const (
	propertyGroup  = "maven.plugin.group"
	propertyPrefix = "maven.plugin.prefix"
	propertyName   = "maven.plugin.name"
)

// maxPlugins is how many plugins of a document are looked at.
const maxPlugins = 1000

// receiveArtifactDocument takes the plugins out of the document of a group.
// That of an artifact tells nothing that is not known.
func receiveArtifactDocument(w http.ResponseWriter, r *protocols.Request, l location) error {
	raw, err := readXML(r.Body, r.ContentLength)
	if err != nil {
		return err
	}
	d, err := parseDocument(raw)
	if err != nil {
		// Of an artifact that is there it would not have been read at all.
		p, lookUp := r.Space.AnyPackage(r.Context(), l.name())
		if lookUp != nil {
			return lookUp
		}
		if p == nil {
			return err
		}
		return done(w, http.StatusOK)
	}
	if d.Plugins == nil {
		return done(w, http.StatusOK)
	}
	for _, plugin := range (*d.Plugins)[:min(len(*d.Plugins), maxPlugins)] {
		if err := notePlugin(r, l.wholeGroup, plugin); err != nil {
			return err
		}
	}
	return done(w, http.StatusOK)
}

// notePlugin notes a plugin on its package. Documents also list plugins that
// are elsewhere.
func notePlugin(r *protocols.Request, group string, plugin plugin) error {
	if !validPart(plugin.ArtifactID) || !validPart(plugin.Prefix) || len(plugin.Name) > maxLine {
		return registry.FieldErrorf("plugins", "the plugin %.60q with the prefix %.60q has no valid name", plugin.ArtifactID, plugin.Prefix)
	}
	p, err := r.Space.AnyPackage(r.Context(), location{group: group, artifact: plugin.ArtifactID}.name())
	if err != nil || p == nil {
		return err
	}
	return r.Space.SetProperties(r.Context(), p, map[string]string{
		propertyGroup: group, propertyPrefix: plugin.Prefix, propertyName: plugin.Name,
	})
}

// pluginsOf lists the plugins of a group that the viewer may see.
func pluginsOf(r *protocols.Request, group string) ([]plugin, error) {
	packages, err := r.Space.PackagesWith(r.Context(), registry.Property{Name: propertyGroup, Value: group})
	if err != nil {
		return nil, err
	}
	var plugins []plugin
	for _, p := range packages {
		plugins = append(plugins, plugin{
			Name: p.Properties[propertyName], Prefix: p.Properties[propertyPrefix],
			ArtifactID: p.Package.Name[len(group)+1:], // after the colon
		})
	}
	slices.SortFunc(plugins, func(a, b plugin) int {
		return cmp.Or(cmp.Compare(a.Prefix, b.Prefix), cmp.Compare(a.ArtifactID, b.ArtifactID))
	})
	return plugins, nil
}
