//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are what scripts may say beyond testscript's own vocabulary.
// Each answers to an error, so that a command reads like ordinary Go; "!" in
// front of one that can be negated reaches it as neg.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"http":     positive(cmdHTTP),
	"json":     check(cmdJSON),
	"setjson":  positive(cmdSetjson),
	"setenv":   positive(cmdSetenv),
	"expand":   positive(cmdExpand),
	"same":     check(cmdSame),
	"sha256":   positive(cmdSHA256),
	"randfile": positive(cmdRandfile),
	"ociimage": positive(cmdOCIImage),
	"modzip":   positive(cmdModzip),
	"tls":      positive(cmdTLS),
	"cut":      positive(cmdCut),
	"swift":    check(cmdSwift),
	"pub":      check(cmdPub),
	"nuget3":   check(cmdNuget),
	"pgpkey":   positive(cmdPGPKey),
}

// check turns a command that returns an error into one that testscript calls.
func check(cmd func(ts *testscript.TestScript, neg bool, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if err := cmd(ts, neg, args); err != nil {
			ts.Fatalf("%v", err)
		}
	}
}

// positive is check for commands that make no sense with "!".
func positive(cmd func(ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return check(func(ts *testscript.TestScript, neg bool, args []string) error {
		if neg {
			return errors.New("this command cannot be negated")
		}
		return cmd(ts, args)
	})
}

// http [-u USER:SECRET] [-H 'Name: value'] [-f FILE | -d TEXT] STATUS METHOD URL
//
// sends one request and checks the status. The body becomes standard output,
// the head standard error: one "Name: value" a line, sorted, below the status
// line. Date and X-Request-Id, different in each answer, are left out.
// Redirects are not followed.
func cmdHTTP(ts *testscript.TestScript, args []string) error {
	flags := flag.NewFlagSet("http", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	user := flags.String("u", "", "user:secret")
	file := flags.String("f", "", "file to send")
	data := flags.String("d", "", "text to send")
	header := http.Header{}
	flags.Func("H", "header", func(line string) error {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("no colon in header %q", line)
		}
		header.Add(name, strings.TrimSpace(value))
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 3 {
		return errors.New("usage: http [-u USER:SECRET] [-H 'Name: value'] [-f FILE | -d TEXT] STATUS METHOD URL")
	}
	want, err := strconv.Atoi(flags.Arg(0))
	if err != nil {
		return fmt.Errorf("bad status: %w", err)
	}
	var body io.Reader
	switch {
	case *file != "":
		f, err := os.Open(ts.MkAbs(*file))
		if err != nil {
			return err
		}
		defer f.Close()
		body = f
	case *data != "":
		body = strings.NewReader(*data)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, flags.Arg(1), flags.Arg(2), body)
	if err != nil {
		return err
	}
	if f, ok := body.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		request.ContentLength = info.Size()
		if info.Size() == 0 {
			request.Body = http.NoBody
		}
	}
	request.Header = header
	if name, secret, ok := strings.Cut(*user, ":"); ok {
		request.SetBasicAuth(name, secret)
	}
	client := newHTTPClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(ts.Stdout(), response.Body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	fmt.Fprintf(ts.Stderr(), "%s\n", response.Status)
	exclude := map[string]bool{"Date": true, "X-Request-Id": true}
	if err := response.Header.WriteSubset(&lineEndings{ts.Stderr()}, exclude); err != nil {
		return err
	}
	if response.StatusCode != want {
		return fmt.Errorf("got status %s, want %d", response.Status, want)
	}
	return nil
}

// lineEndings drops carriage returns, so that `stderr 'value$'` can match.
type lineEndings struct{ w io.Writer }

func (l *lineEndings) Write(p []byte) (int, error) {
	if _, err := l.w.Write(bytes.ReplaceAll(p, []byte("\r"), nil)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// [!] json FILE POINTER [WANT]
//
// looks up a value in a JSON document by JSON pointer (RFC 6901; FILE may be
// stdout, which stays as it is). With WANT it must equal that (strings without
// their quotes, anything else as JSON), without it must merely be there.
// Negated: the value must be absent, or differ from WANT.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) error {
	if len(args) != 2 && len(args) != 3 {
		return errors.New("usage: json FILE POINTER [WANT]")
	}
	text, found, err := lookup(ts.ReadFile(args[0]), args[1])
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	switch {
	case len(args) == 2 && neg && found:
		return fmt.Errorf("%s is there: %s", args[1], text)
	case len(args) == 3 && neg && found && text == args[2]:
		return fmt.Errorf("%s is %s", args[1], text)
	case neg:
		return nil
	case !found:
		return fmt.Errorf("no %s in\n%s", args[1], ts.ReadFile(args[0]))
	case len(args) == 3 && text != args[2]:
		return fmt.Errorf("%s is %s, want %s", args[1], text, args[2])
	}
	return nil
}

// setjson NAME FILE POINTER
//
// sets an environment variable to a value in a JSON document.
func cmdSetjson(ts *testscript.TestScript, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: setjson NAME FILE POINTER")
	}
	text, found, err := lookup(ts.ReadFile(args[1]), args[2])
	if err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	if !found || text == "" {
		return fmt.Errorf("no %s in\n%s", args[2], ts.ReadFile(args[1]))
	}
	ts.Setenv(args[0], text)
	return nil
}

// lookup finds a value in a JSON document: a string as it is, anything else as JSON.
func lookup(document, pointer string) (text string, found bool, err error) {
	decoder := json.NewDecoder(strings.NewReader(document))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return "", false, fmt.Errorf("no JSON: %w\n%s", err, document)
	}
	value, found := follow(tree, pointer)
	if text, ok := value.(string); ok {
		return text, found, nil
	}
	b, err := json.Marshal(value)
	return string(b), found, err
}

// follow walks along a JSON pointer.
func follow(value any, pointer string) (any, bool) {
	if pointer == "" || pointer == "/" {
		return value, true
	}
	for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch container := value.(type) {
		case map[string]any:
			next, ok := container[token]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(container) {
				return nil, false
			}
			value = container[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// setenv NAME FILE [REGEXP]
//
// sets an environment variable to the content of a file without the blanks
// around it, or to what the first group of the expression matches in it ("^" and
// "$" match at lines). FILE may be stdout or stderr, for what the last command printed.
func cmdSetenv(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 && len(args) != 3 {
		return errors.New("usage: setenv NAME FILE [REGEXP]")
	}
	value := strings.TrimSpace(ts.ReadFile(args[1]))
	if len(args) == 3 {
		expression, err := regexp.Compile("(?m)" + args[2])
		if err != nil {
			return err
		}
		match := expression.FindStringSubmatch(value)
		if len(match) < 2 {
			return fmt.Errorf("%s has nothing like %s:\n%s", args[1], args[2], value)
		}
		value = match[1]
	}
	if value == "" {
		return fmt.Errorf("%s is empty", args[1])
	}
	ts.Setenv(args[0], value)
	return nil
}

var variable = regexp.MustCompile(`\$\{?([A-Z][A-Z0-9_]*)\}?`)

// expand FILE...
//
// replaces $NAME and ${NAME} in the files by the environment. A name without a
// value is an error: a configuration with a hole in it would send the client elsewhere.
func cmdExpand(ts *testscript.TestScript, args []string) error {
	for _, name := range args {
		var unset []string
		expanded := variable.ReplaceAllStringFunc(ts.ReadFile(name), func(match string) string {
			key := variable.FindStringSubmatch(match)[1]
			value := ts.Getenv(key)
			if value == "" && !slices.Contains(unset, key) {
				unset = append(unset, key)
			}
			return value
		})
		if len(unset) > 0 {
			return fmt.Errorf("%s: no value for %s", name, strings.Join(unset, ", "))
		}
		if err := os.WriteFile(ts.MkAbs(name), []byte(expanded), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// [!] same FILE1 FILE2
//
// compares two files of any size byte by byte.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: same FILE1 FILE2")
	}
	var sums [2][]byte
	for i, name := range args {
		var err error
		if sums[i], err = fileSHA256(ts.MkAbs(name)); err != nil {
			return err
		}
	}
	if same := bytes.Equal(sums[0], sums[1]); same == neg {
		return fmt.Errorf("sha256 of %s is %x, of %s %x", args[0], sums[0], args[1], sums[1])
	}
	return nil
}

// sha256 [-base64] FILE
//
// prints the digest of a file.
func cmdSHA256(ts *testscript.TestScript, args []string) error {
	encode := hex.EncodeToString
	if len(args) == 2 && args[0] == "-base64" {
		encode, args = base64.StdEncoding.EncodeToString, args[1:]
	}
	if len(args) != 1 {
		return errors.New("usage: sha256 [-base64] FILE")
	}
	sum, err := fileSHA256(ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(ts.Stdout(), encode(sum))
	return err
}

func fileSHA256(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}

// randfile FILE SIZE
//
// writes SIZE random bytes; K, M and G count in 1024s.
func cmdRandfile(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: randfile FILE SIZE")
	}
	number, shift := args[1], 0
	if i := strings.IndexByte("KMG", number[len(number)-1]); i >= 0 {
		number, shift = number[:len(number)-1], 10*(i+1)
	}
	size, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		return fmt.Errorf("bad size: %w", err)
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	defer f.Close()
	var seed [32]byte
	copy(seed[:], randomBytes(len(seed)))
	if _, err := io.CopyN(f, rand.NewChaCha8(seed), size<<shift); err != nil {
		return err
	}
	return f.Close()
}

// ociimage DIR TAG PLATFORM...
//
// writes a multi-arch image as an OCI layout and prints the digest of its index.
func cmdOCIImage(ts *testscript.TestScript, args []string) error {
	if len(args) < 3 {
		return errors.New("usage: ociimage DIR TAG PLATFORM [PLATFORM]")
	}
	digest, err := writeImageLayout(ts.MkAbs(args[0]), args[1], args[2:])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(ts.Stdout(), digest)
	return err
}
