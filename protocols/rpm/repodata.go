package rpm

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// repodata serves the documents of a group.
func repodata(w http.ResponseWriter, r *protocols.Request) error {
	group, err := groupOf(r.Params)
	if err != nil {
		return nowhere()
	}
	name := registry.IndexName{Family: group}
	switch file := r.Params["file"]; file {
	case repomdName:
		return protocols.ServeIndex(w, r, name, file, protocols.IndexEntry)
	case signatureName:
		return protocols.ServeIndex(w, r, name, file, protocols.IndexSecondary)
	case keyName:
		// Of a group that is there: a client that asks for the key asks for
		// the rest.
		if _, err := r.Snapshot(name, protocols.IndexSecondary); err != nil {
			return err
		}
		return protocols.OpenPGPKeys(w, r, keyName, true)
	default:
		sum, document, byDigest := strings.Cut(file, "-")
		if !byDigest {
			document = file
		}
		if !isDocument(document) {
			return nowhere()
		}
		if !byDigest {
			return protocols.ServeIndex(w, r, name, file, protocols.IndexSecondary)
		}
		o, err := r.Space.IndexByHash(r.Context(), name, "", sum)
		if err != nil {
			return err
		}
		if o.Path != document {
			return nowhere()
		}
		return protocols.ServeIndexObject(w, r, o, true)
	}
}

// isDocument tells whether repomd.xml names a document so.
func isDocument(file string) bool {
	switch kind, _ := strings.CutSuffix(file, textEnding); kind {
	case primaryStream, filelistsStream, otherStream, updateinfoName:
		return true
	}
	return false
}

// rootRepo serves the description of the root group, rpm.repo.
func rootRepo(w http.ResponseWriter, r *protocols.Request) error { return writeRepo(w, r, "") }

// groupRepo serves the description of a group, {group}.repo.
func groupRepo(w http.ResponseWriter, r *protocols.Request) error {
	group, ok := strings.CutSuffix(r.Params["file"], repoEnding)
	if !ok || group == "" {
		return nowhere()
	}
	if _, err := parseGroup(group); err != nil {
		return nowhere()
	}
	return writeRepo(w, r, group)
}

// writeRepo writes all that a machine needs to use a group, as dnf.conf(5) and
// zypper(8) have it. Every package is covered by the signed digests of the
// index; that each is signed itself is asked for only where the group's policy
// sees to it, for clients refuse one that is not.
func writeRepo(w http.ResponseWriter, r *protocols.Request, group string) error {
	all, err := settingsOf(r)
	if err != nil {
		return err
	}
	check := "0"
	if all.policy(group).signs() {
		check = "1"
	}
	body := repoFile(r.Root(), r.Space.Owner.Name, group, check)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", protocols.Attachment(section(r.Space.Owner.Name, group)+repoEnding))
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, body) // the client has it or is gone
	}
	return nil
}

// section is the name by which a machine knows a group.
func section(owner, group string) string {
	name := "entrepot-" + owner
	if group != "" {
		name += "-" + strings.ReplaceAll(group, "/", "-")
	}
	return name
}

// repoFile describes a group. check is "1" for clients to check the signature
// of every package.
func repoFile(root, owner, group, check string) string {
	title := owner
	if group != "" {
		title += " (" + group + ")"
	}
	return "[" + section(owner, group) + "]\n" +
		"name=" + title + "\n" +
		"baseurl=" + strings.TrimSuffix(root+below(group, ""), "/") + "\n" +
		"enabled=1\n" +
		"type=rpm-md\n" +
		"autorefresh=1\n" +
		"repo_gpgcheck=1\n" +
		"gpgcheck=" + check + "\n" +
		"gpgkey=" + root + "/repository.key\n"
}
