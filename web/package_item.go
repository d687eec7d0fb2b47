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

// Titles of instructions that the pages know. Setting a client up belongs to the first install and to the first
// publish; all others, such as "Install" or "Pull", are boxes of their own.
const (
	setUpTitle   = "Set up"
	publishTitle = "Publish"
)

// instructionsOf turns those instructions that achieve the title into what an install box shows, a tab for a client.
func instructionsOf(all []queries.Instruction, title string) []ui.Instruction {
	var list []ui.Instruction
	for _, in := range all {
		if in.Title == title {
			list = append(list, ui.Instruction{Client: in.Client, Title: in.Title, Steps: stepsOf(in)})
		}
	}
	return list
}

// installInstructions are how to install: the line people come for, then what a client needs once.
func installInstructions(all []queries.Instruction, title string) []ui.Instruction {
	list := instructionsOf(all, title)
	for i, in := range list {
		if setUp := stepsFor(all, setUpTitle, in.Client); len(setUp) > 0 {
			list[i].Steps = append(in.Steps, introduced(setUp, "The first time, tell the client about this registry:")...)
		}
	}
	return list
}

// publishInstructions are how to publish, beginning with what a client needs once.
func publishInstructions(all []queries.Instruction) []ui.Instruction {
	list := instructionsOf(all, publishTitle)
	for i, in := range list {
		if setUp := stepsFor(all, setUpTitle, in.Client); len(setUp) > 0 {
			list[i].Steps = append(setUp, introduced(in.Steps, "Then:")...)
		}
	}
	return list
}

// firstOf keeps one client of a package type, where the types are what matters.
func firstOf(list []ui.Instruction) []ui.Instruction { return list[:min(1, len(list))] }

func stepsFor(all []queries.Instruction, title, client string) []ui.Step {
	for _, in := range all {
		if in.Title == title && in.Client == client {
			return stepsOf(in)
		}
	}
	return nil
}

// introduced gives the first step a sentence, unless it brings its own.
func introduced(steps []ui.Step, sentence string) []ui.Step {
	if len(steps) > 0 && steps[0].Text == "" {
		steps[0].Text = sentence
	}
	return steps
}

// stepsOf joins sentences to the code after them.
func stepsOf(in queries.Instruction) []ui.Step {
	var steps []ui.Step
	text := ""
	for _, step := range in.Steps {
		if step.Kind != queries.StepKindText {
			steps = append(steps, ui.Step{Text: text, Path: step.Path, Body: step.Body})
			text = ""
			continue
		}
		if text != "" {
			steps = append(steps, ui.Step{Text: text})
		}
		text = step.Body
	}
	if text != "" {
		steps = append(steps, ui.Step{Text: text})
	}
	return steps
}
