package helm

import (
	"fmt"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to add the repository, install and depend on a chart,
// and publish one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	url := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	quoted := protocols.ShellQuote(url)
	alias := strings.ToLower(in.Owner)
	credential := ""
	if in.Private {
		credential = " --username USER --password " + placeholder
	}
	all := []registry.Instructions{{Title: "Set up", Client: "helm", Steps: []registry.Step{
		shell("helm repo add " + alias + " " + quoted + credential),
		shell("helm repo update " + alias),
	}}}
	if in.Package != nil {
		name, version := in.Package.Name, ""
		if in.Version != nil {
			version = in.Version.Version
		}
		all = append(all,
			registry.Instructions{Title: "Install", Client: "helm", Steps: []registry.Step{
				shell("helm install RELEASE " + alias + "/" + name + option(version)),
				{Kind: registry.Text, Body: "or without adding the repository:"},
				shell("helm install RELEASE " + name + " --repo " + quoted + option(version) + credential),
			}},
			registry.Instructions{Title: "Depend on it", Client: "Chart.yaml", Steps: dependencySteps(name, version, url)},
			registry.Instructions{Title: "Install", Client: "Flux", Steps: fluxSteps(in, alias, name, version, url)},
		)
	}
	return append(all,
		registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
			shell("helm package CHART/"),
			shell("curl --fail-with-body -u USER:" + placeholder + " --data-binary @CHART-1.0.0.tgz " + protocols.ShellQuote(url+"/api/charts")),
			{Kind: registry.Text, Body: "A signed chart goes together with its provenance file:"},
			shell("curl --fail-with-body -u USER:" + placeholder + " -F chart=@CHART-1.0.0.tgz -F prov=@CHART-1.0.0.tgz.prov " + protocols.ShellQuote(url+"/api/charts")),
		}},
		registry.Instructions{Title: "Publish", Client: "cm-push", Steps: []registry.Step{
			shell("helm cm-push CHART/ " + quoted + " --username USER --password " + placeholder),
		}},
	)
}

func option(version string) string {
	if version == "" {
		return ""
	}
	return " --version " + protocols.ShellQuote(version)
}

// dependencySteps name the repository exactly: it is neither the page nor the
// address of charts in OCI registries.
func dependencySteps(name, version, url string) []registry.Step {
	if version == "" {
		version = "1.0.0"
	}
	return []registry.Step{
		{Kind: registry.FileStep, Language: "yaml", Path: "Chart.yaml",
			Body: fmt.Sprintf("dependencies:\n  - name: %s\n    version: %q\n    repository: %s\n", name, version, url)},
		shell("helm dependency update"),
		{Kind: registry.Text, Body: "Only charts that were pushed to oci:// are named with oci:// here; they are packages of the type container."},
	}
}

func fluxSteps(in registry.InstructionsInput, alias, name, version, url string) []registry.Step {
	var steps []registry.Step
	secret := ""
	if in.Private {
		steps = append(steps, shell("kubectl create secret generic "+alias+" --from-literal=username=USER --from-literal=password="+placeholder))
		secret = "  secretRef:\n    name: " + alias + "\n"
	}
	constraint := ""
	if version != "" {
		constraint = fmt.Sprintf("      version: %q\n", version)
	}
	return append(steps, registry.Step{Kind: registry.FileStep, Language: "yaml", Path: name + ".yaml", Body: "apiVersion: source.toolkit.fluxcd.io/v1\n" +
		"kind: HelmRepository\nmetadata:\n  name: " + alias + "\nspec:\n  interval: 10m\n  url: " + url + "\n" + secret +
		"---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: " + strings.ToLower(name) + "\nspec:\n  interval: 10m\n" +
		"  chart:\n    spec:\n      chart: " + name + "\n" + constraint + "      sourceRef:\n        kind: HelmRepository\n        name: " + alias + "\n"})
}

// shell is a command to run, which may name the token.
func shell(command string) registry.Step {
	s := registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
	if strings.Contains(command, placeholder) {
		s.SecretPlaceholder = placeholder
	}
	return s
}
