package conda

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"entrepot/registry"
)

// maxRecord is the longest record of an index in bytes.
const maxRecord = 1 << 20

// record is the info/index.json of a package (CEP 34) as indexes have it: all
// its fields, known or not, but none that is null, for one null makes solvers
// refuse the whole index.
type record struct {
	fields map[string]any

	name, version, build, subdir, license string
	buildNumber                           int64
	depends, constrains                   []string
}

// lastSecond is the greatest timestamp that is taken for seconds; others are
// milliseconds. It is the end of the year 9999.
const lastSecond = 253402300799

// parseRecord reads an info/index.json. Errors: Invalid with the field that is
// wrong, TooLarge.
func parseRecord(raw []byte) (*record, error) {
	fields, err := decodeObject(raw)
	if err != nil {
		return nil, registry.FieldErrorf(indexFile, "%s is no JSON object: %v", indexFile, err)
	}
	r := &record{fields: fields}
	for _, step := range []func() error{r.readNames, r.readRelations, r.readPlatform, r.readRest} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *record) readNames() (err error) {
	if r.name, err = r.required("name", checkName); err != nil {
		return err
	}
	if r.version, err = r.required("version", checkVersion); err != nil {
		return err
	}
	if r.build, err = r.required("build", checkBuild); err != nil {
		return err
	}
	number, ok := r.fields["build_number"].(json.Number)
	if ok {
		r.buildNumber, err = strconv.ParseInt(number.String(), 10, 64)
	}
	if !ok || err != nil || r.buildNumber < 0 {
		return badField("build_number", "a whole number from 0 on")
	}
	return nil
}

func (r *record) readRelations() (err error) {
	if r.depends, err = r.texts("depends"); err != nil {
		return err
	}
	if r.depends == nil {
		r.fields["depends"] = []any{}
	}
	r.constrains, err = r.texts("constrains")
	return err
}

// readPlatform finds out the subdir, which old packages say in other words.
func (r *record) readPlatform() error {
	switch kind := r.fields["noarch"].(type) {
	case nil:
	case bool:
		// As it was written before there were kinds.
		if delete(r.fields, "noarch"); kind {
			r.fields["noarch"] = "generic"
		}
	case string:
		if kind == "" {
			delete(r.fields, "noarch")
		} else if kind != "generic" && kind != "python" {
			return badField("noarch", `"generic" or "python"`)
		}
	default:
		return badField("noarch", `"generic" or "python"`)
	}
	var err error
	if r.subdir, err = r.text("subdir"); err != nil {
		return err
	}
	platform, err := r.text("platform")
	if err != nil {
		return err
	}
	arch, err := r.text("arch")
	if err != nil {
		return err
	}
	_, isNoarch := r.fields["noarch"]
	switch {
	case r.subdir != "":
	case isNoarch:
		r.subdir = noarch
	case platform != "" && arch != "":
		r.subdir = platform + "-" + bits(arch)
	default:
		return badField("subdir", "the platform that the package is for")
	}
	if err := checkSubdir(r.subdir); err != nil {
		return err
	}
	if isNoarch && r.subdir != noarch {
		return registry.FieldErrorf("noarch", "noarch: a package with this field belongs into the subdir noarch, not %s", r.subdir)
	}
	r.fields["subdir"] = r.subdir
	return nil
}

// bits is an architecture as subdirs name it.
func bits(arch string) string {
	switch arch {
	case "x86":
		return "32"
	case "x86_64":
		return "64"
	}
	return arch
}

// readRest checks what solvers read of the other fields, and leaves out what
// says nothing: some stumble over empty texts.
func (r *record) readRest() (err error) {
	if r.license, err = r.text("license"); err != nil {
		return err
	}
	for _, name := range []string{"license_family", "features", "python_site_packages_path"} {
		if _, err := r.text(name); err != nil {
			return err
		}
	}
	switch features := r.fields["track_features"].(type) {
	case nil:
	case string:
		if features == "" {
			delete(r.fields, "track_features")
		}
	default:
		if _, err := r.texts("track_features"); err != nil {
			return err
		}
	}
	at, isThere := r.fields["timestamp"]
	if !isThere {
		return nil
	}
	number, _ := at.(json.Number)
	instant, err := number.Float64()
	if err != nil || instant < 0 || instant > math.MaxInt64/2048 {
		return badField("timestamp", "milliseconds since 1970")
	}
	if instant <= lastSecond {
		instant *= 1000
	}
	if delete(r.fields, "timestamp"); instant >= 1 {
		r.fields["timestamp"] = int64(instant)
	}
	return nil
}

func badField(field, want string) error {
	return registry.FieldErrorf(field, "%s: want %s in %s", field, want, indexFile)
}

// required is a text that must be there.
func (r *record) required(field string, check func(string) error) (string, error) {
	text, ok := r.fields[field].(string)
	if !ok {
		return "", badField(field, "a text")
	}
	return text, check(text)
}

// text is a text that may be missing; an empty one is left out.
func (r *record) text(field string) (string, error) {
	value, isThere := r.fields[field]
	if !isThere {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", badField(field, "a text")
	}
	if text == "" {
		delete(r.fields, field)
	}
	return text, nil
}

// texts is a list of texts; nil if it is missing.
func (r *record) texts(field string) ([]string, error) {
	value, isThere := r.fields[field]
	if !isThere {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, badField(field, "a list of texts")
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = item.(string); !ok {
			return nil, badField(field, "a list of texts")
		}
	}
	return texts, nil
}

// file is the name of the record's file in that container.
func (r *record) file(ending string) fileName { return fileName{r.name, r.version, r.build, ending} }

// encode is the record with the digests and the length of its file, keys in
// their order.
func (r *record) encode(content *registry.Stored) (json.RawMessage, error) {
	r.fields["md5"], r.fields["sha256"], r.fields["size"] = content.Sums.MD5, content.Sums.SHA256, content.Size
	raw, err := encode(r.fields)
	if err == nil && len(raw) > maxRecord {
		err = registry.Errorf(registry.TooLarge, "%s makes a record of more than %d bytes", indexFile, maxRecord)
	}
	return raw, err
}

// encode writes compact JSON with sorted keys, and without the escapes that
// are for HTML: most requirements have a '>' in them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decodeObject reads a JSON object, and leaves out every null in it but those
// in lists of texts, which are wrong there. Numbers stay as they are written.
func decodeObject(raw []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, errors.New("it is null")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows it")
	}
	dropNulls(fields)
	return fields, nil
}

// dropNulls leaves nulls out of objects, at any depth. Those of the lists that
// this package reads are found out as what they are not: texts.
func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if value == nil {
				delete(v, name)
			} else {
				dropNulls(value)
			}
		}
	case []any:
		for _, value := range v {
			dropNulls(value)
		}
	}
}

// parseRunExports reads an info/run_exports.json: kinds of exports, each a
// list of texts. A list alone is of the kind "weak".
func parseRunExports(raw []byte) (json.RawMessage, error) {
	if trimmed := bytes.TrimSpace(raw); bytes.HasPrefix(trimmed, []byte("[")) {
		raw = slices.Concat([]byte(`{"weak":`), trimmed, []byte("}"))
	}
	fields, err := decodeObject(raw)
	if err != nil {
		return nil, fmt.Errorf("it is neither an object nor a list: %w", err)
	}
	exports := record{fields: fields}
	for kind := range fields {
		if list, err := exports.texts(kind); err != nil {
			return nil, fmt.Errorf("%.80q is no list of texts", kind)
		} else if len(list) == 0 {
			delete(fields, kind)
		}
	}
	return encode(fields)
}

// entry is what is kept of a file for the indexes: its fragment.
type entry struct {
	// Record is that of repodata.json but for the instant of publishing.
	Record json.RawMessage `json:"record"`
	// RunExports are the package's, an object.
	RunExports json.RawMessage `json:"runExports,omitempty"`
	// Yanked tells that this file is withdrawn; its version may be as well.
	Yanked bool `json:"yanked,omitempty"`
}

func decodeEntry(fragment []byte) (entry, error) {
	var e entry
	if err := json.Unmarshal(fragment, &e); err != nil {
		return e, fmt.Errorf("decode record: %w", err)
	}
	return e, nil
}

// split cuts a requirement, "python >=3.8,<4", into a name and the rest.
func split(requirement string) (name, rest string) {
	name, rest, _ = strings.Cut(strings.TrimSpace(requirement), " ")
	return name, strings.TrimSpace(rest)
}
