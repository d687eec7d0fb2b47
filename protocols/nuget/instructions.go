package nuget

import (
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// sourceName is what the instructions call the owner's feed.
const sourceName = "ent"

// instructions say how to set each client up, install a version and publish
// one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	index := root + "/index.json"
	var all []registry.Instructions
	add := func(title, client string, steps ...registry.Step) {
		all = append(all, registry.Instructions{Title: title, Client: client, Steps: steps})
	}
	credentials := " --username USER --password " + placeholder + " --store-password-in-clear-text"
	insecure := ""
	if strings.HasPrefix(in.BaseURL, "http:") {
		insecure = ` allowInsecureConnections="true"`
	}
	config := registry.Step{
		Kind: registry.FileStep, Language: "xml", Path: "NuGet.Config",
		Body: "<configuration>\n  <packageSources>\n    <add key=\"" + sourceName + "\" value=\"" + escapeXML(index) + "\"" + insecure + " />\n  </packageSources>\n</configuration>\n",
	}
	source := shell("dotnet nuget add source --name " + sourceName + " " + protocols.ShellQuote(index))
	nugetSource := shell("nuget sources add -name " + sourceName + " -source " + protocols.ShellQuote(index))
	choco := shell("choco source add -n=" + sourceName + " -s=" + protocols.ShellQuote(root))
	powershell := shell("Register-PSResourceRepository -Name " + sourceName + " -Uri " + protocols.ShellQuote(index) + " -Trusted")
	if in.Private {
		source = secret("dotnet nuget add source --name " + sourceName + credentials + " " + protocols.ShellQuote(index))
		nugetSource = secret(nugetSource.Body + " -username USER -password " + placeholder)
		choco = secret(choco.Body + " -u=USER -p=" + placeholder)
	}
	setUp := []registry.Step{source}
	if !in.Private {
		setUp = append(setUp, config)
	}
	add("Set up", "dotnet", setUp...)
	add("Set up", "nuget", nugetSource)
	add("Set up", "choco", choco)
	add("Set up", "PowerShell", powershell)
	if in.Package != nil {
		id := in.Package.Name
		with := func(option string) string {
			if in.Version == nil {
				return ""
			}
			v, _ := parseVersion(in.Version.Version)
			return " " + option + " " + v.String()
		}
		install := []registry.Step{shell("dotnet add package " + id + with("--version") + " --source " + protocols.ShellQuote(index))}
		if in.Version != nil {
			install = append(install, registry.Step{
				Kind: registry.FileStep, Language: "xml", Path: "Project.csproj",
				Body: "<PackageReference Include=\"" + id + "\" Version=\"" + strings.TrimPrefix(with(""), "  ") + "\" />\n",
			})
		}
		add("Install", "dotnet", install...)
		add("Install", "nuget", shell("nuget install "+id+with("-Version")+" -Source "+protocols.ShellQuote(index)))
		add("Install", "choco", shell("choco install "+id+with("--version")+" -s "+sourceName))
		add("Install", "PowerShell", shell("Install-PSResource -Name "+id+with("-Version")+" -Repository "+sourceName))
	}
	add("Publish", "dotnet", secret("dotnet nuget push PACKAGE.nupkg --source "+protocols.ShellQuote(index)+" --api-key "+placeholder))
	add("Publish", "nuget", secret("nuget push PACKAGE.nupkg "+placeholder+" -Source "+protocols.ShellQuote(root)))
	add("Publish", "choco", secret("choco push PACKAGE.nupkg -s "+protocols.ShellQuote(root)+" -k "+placeholder))
	add("Publish", "PowerShell", secret("Publish-PSResource -Path MODULE -Repository "+sourceName+" -ApiKey "+placeholder))
	return all
}

func shell(command string) registry.Step {
	return registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
}

func secret(command string) registry.Step {
	step := shell(command)
	step.SecretPlaceholder = placeholder
	return step
}
