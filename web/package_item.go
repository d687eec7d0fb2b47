package web

import (
	"strings"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// packageItem is a package as lists show it.
func packageItem(p queries.PackageItem, showOwner bool) ui.PackageItem {
	item := ui.PackageItem{
		Target:      route.OfPackage(p.Owner.Name, p.Type, p.Name),
		ShowOwner:   showOwner,
		Description: p.Summary,
		Visibility:  string(p.EffectiveVisibility),
		Downloads:   p.Downloads,
		Versions:    int64(p.VersionCount),
		Updated:     p.UpdatedAt,
	}
	if p.Latest != nil {
		var tags []string
		for _, edge := range p.Latest.Tags.Edges {
			tags = append(tags, edge.Node.Name)
		}
		item.Version = versionLabel(p.Latest.Version, tags, "")
		item.Deprecated = p.Latest.Deprecated
	}
	return item
}

// versionLabel is what people call a version. Versions that are digests, as those of images, go by a tag when they
// have one: the one that was asked for, or else one that says more than "latest".
func versionLabel(version string, tags []string, asked string) string {
	if !strings.Contains(version, ":") || len(tags) == 0 {
		return version
	}
	best := tags[0]
	for _, tag := range tags {
		if tag == asked {
			return tag
		}
		if best == "latest" {
			best = tag
		}
	}
	return best
}

// instructionsOf turns the data of GraphQL into what the install box shows. Only those that achieve the title are
// taken; an empty title takes all.
func instructionsOf(all []queries.Instruction, title string) []ui.Instruction {
	var list []ui.Instruction
	for _, in := range all {
		if title != "" && in.Title != title {
			continue
		}
		out := ui.Instruction{Client: in.Client, Title: in.Title}
		text := ""
		for _, step := range in.Steps {
			if step.Kind == queries.StepKindText {
				// A sentence belongs to the code after it.
				if text != "" {
					out.Steps = append(out.Steps, ui.Step{Text: text})
				}
				text = step.Body
				continue
			}
			out.Steps = append(out.Steps, ui.Step{Text: text, Path: step.Path, Body: step.Body})
			text = ""
		}
		if text != "" {
			out.Steps = append(out.Steps, ui.Step{Text: text})
		}
		list = append(list, out)
	}
	return list
}

// publishTitle is the title of the instructions that say how to publish.
const publishTitle = "Publish"
