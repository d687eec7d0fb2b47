package maven

import (
	"encoding/xml"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// repositoryID ties a repository to its credentials in Maven's files.
const repositoryID = "entrepot"

// instructions say how to set the clients up, depend on a version and publish
// one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	c := coordinates{"com.example", "my-library", "1.0.0"}
	if in.Package != nil {
		c.GroupID, c.ArtifactID, _ = strings.Cut(in.Package.Name, ":")
	}
	if in.Version != nil {
		c.Version = in.Version.Version
	}
	var all []registry.Instructions
	for _, client := range clients {
		all = append(all, registry.Instructions{Title: "Set up", Client: client.name, Steps: client.setUp(root, in.Private)})
		if in.Package != nil {
			all = append(all, registry.Instructions{Title: "Install", Client: client.name, Steps: client.install(root, c)})
		}
		all = append(all, registry.Instructions{Title: "Publish", Client: client.name, Steps: client.publish(root)})
	}
	return all
}

// clients are the programs, with the ways they are told things.
var clients = []struct {
	name    string
	setUp   func(root string, private bool) []registry.Step
	install func(root string, c coordinates) []registry.Step
	publish func(root string) []registry.Step
}{
	{"Maven", mavenSetUp, mavenInstall, mavenPublish},
	{"Gradle", gradleSetUp, gradleInstall, gradlePublish},
	{"sbt", sbtSetUp, sbtInstall, sbtPublish},
}

func mavenSettings() registry.Step {
	return registry.Step{
		Kind: registry.FileStep, Language: "xml", Path: "~/.m2/settings.xml", SecretPlaceholder: placeholder,
		Body: "<settings>\n  <servers>\n    <server>\n      <id>" + repositoryID + "</id>\n      <username>USER</username>\n" +
			"      <password>" + placeholder + "</password>\n    </server>\n  </servers>\n</settings>\n",
	}
}

func mavenSetUp(root string, private bool) []registry.Step {
	pom := registry.Step{
		Kind: registry.FileStep, Language: "xml", Path: "pom.xml",
		Body: "<repositories>\n  <repository>\n    <id>" + repositoryID + "</id>\n    <url>" + inXML(root) + "</url>\n  </repository>\n</repositories>\n",
	}
	if private {
		return []registry.Step{pom, mavenSettings()}
	}
	return []registry.Step{pom}
}

func mavenInstall(root string, c coordinates) []registry.Step {
	return []registry.Step{
		{
			Kind: registry.FileStep, Language: "xml", Path: "pom.xml",
			Body: "<dependency>\n  <groupId>" + inXML(c.GroupID) + "</groupId>\n  <artifactId>" + inXML(c.ArtifactID) + "</artifactId>\n" +
				"  <version>" + inXML(c.Version) + "</version>\n</dependency>\n",
		},
		{
			Kind: registry.Shell, Language: "sh",
			Body: "mvn dependency:get -DremoteRepositories=" + protocols.ShellQuote(repositoryID+"::::"+root) +
				" -Dartifact=" + protocols.ShellQuote(c.GroupID+":"+c.ArtifactID+":"+c.Version),
		},
	}
}

func mavenPublish(root string) []registry.Step {
	repository := func(element string) string {
		return "  <" + element + ">\n    <id>" + repositoryID + "</id>\n    <url>" + inXML(root) + "</url>\n  </" + element + ">\n"
	}
	return []registry.Step{
		mavenSettings(),
		{
			Kind: registry.FileStep, Language: "xml", Path: "pom.xml",
			Body: "<distributionManagement>\n" + repository("repository") + repository("snapshotRepository") + "</distributionManagement>\n",
		},
		{Kind: registry.Shell, Language: "sh", Body: "mvn deploy"},
	}
}

// gradleRepository is the block that names the repository. The credentials
// stand in ~/.gradle/gradle.properties under its name.
func gradleRepository(root string, credentials bool) string {
	lines := []string{"repositories {", "    maven {", `        name = "` + repositoryID + `"`, `        url = uri("` + root + `")`}
	if credentials {
		lines = append(lines, "        credentials(PasswordCredentials::class)")
	}
	if strings.HasPrefix(root, "http://") {
		lines = append(lines, "        isAllowInsecureProtocol = true")
	}
	return strings.Join(append(lines, "    }", "}"), "\n") + "\n"
}

func gradleProperties() registry.Step {
	return registry.Step{
		Kind: registry.FileStep, Language: "ini", Path: "~/.gradle/gradle.properties", SecretPlaceholder: placeholder,
		Body: repositoryID + "Username=USER\n" + repositoryID + "Password=" + placeholder + "\n",
	}
}

func kotlin(body string) registry.Step {
	return registry.Step{Kind: registry.FileStep, Language: "kotlin", Path: "build.gradle.kts", Body: body}
}

func gradleSetUp(root string, private bool) []registry.Step {
	steps := []registry.Step{kotlin(gradleRepository(root, private))}
	if private {
		steps = append(steps, gradleProperties())
	}
	return steps
}

func gradleInstall(_ string, c coordinates) []registry.Step {
	return []registry.Step{kotlin("dependencies {\n    implementation(\"" + c.GroupID + ":" + c.ArtifactID + ":" + c.Version + "\")\n}\n")}
}

func gradlePublish(root string) []registry.Step {
	block := strings.ReplaceAll("\n"+strings.TrimSuffix(gradleRepository(root, true), "\n"), "\n", "\n    ")
	return []registry.Step{
		gradleProperties(),
		kotlin("plugins {\n    `java-library`\n    `maven-publish`\n}\n\npublishing {\n    publications {\n" +
			"        create<MavenPublication>(\"library\") { from(components[\"java\"]) }\n    }" + block + "\n}\n"),
		{Kind: registry.Shell, Language: "sh", Body: "./gradlew publish"},
	}
}

func sbtCredentials(root string) registry.Step {
	_, host, _ := strings.Cut(root, "://")
	host, _, _ = strings.Cut(host, "/")
	host, _, _ = strings.Cut(host, ":")
	return registry.Step{
		Kind: registry.FileStep, Language: "scala", Path: "~/.sbt/1.0/credentials.sbt", SecretPlaceholder: placeholder,
		Body: "credentials += Credentials(\"Entrepot\", \"" + host + "\", \"USER\", \"" + placeholder + "\")\n",
	}
}

func scala(body string) registry.Step {
	return registry.Step{Kind: registry.FileStep, Language: "scala", Path: "build.sbt", Body: body}
}

// sbtRepository is the repository as an expression.
func sbtRepository(root string) string {
	expression := "\"" + repositoryID + "\" at \"" + root + "\""
	if strings.HasPrefix(root, "http://") {
		return "(" + expression + ").withAllowInsecureProtocol(true)"
	}
	return expression
}

func sbtSetUp(root string, private bool) []registry.Step {
	steps := []registry.Step{scala("resolvers += " + sbtRepository(root) + "\n")}
	if private {
		steps = append(steps, sbtCredentials(root))
	}
	return steps
}

func sbtInstall(_ string, c coordinates) []registry.Step {
	return []registry.Step{scala("libraryDependencies += \"" + c.GroupID + "\" % \"" + c.ArtifactID + "\" % \"" + c.Version + "\"\n")}
}

func sbtPublish(root string) []registry.Step {
	return []registry.Step{
		sbtCredentials(root),
		scala("publishMavenStyle := true\npublishTo := Some(" + sbtRepository(root) + ")\n"),
		{Kind: registry.Shell, Language: "sh", Body: "sbt publish"},
	}
}

// inXML is the text as it stands in an element.
func inXML(text string) string {
	var b strings.Builder
	// A strings.Builder takes everything.
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}
