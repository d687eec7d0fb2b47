package nuget

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestForm(t *testing.T) {
	const head = "Content-Type: application/octet-stream\r\n\r\n"
	long := strings.Repeat("\n--x \r\n--", 20_000)
	for name, form := range map[string]struct {
		body, want string // parts in brackets
	}{
		"as it should be":            {"--xyz\r\n" + head + "one\r\n--xyz\r\n" + head + "two\n\r\n--xyz--\r\n", "[one][two\n]"},
		"the last line without CR":   {"--xyz\r\n" + head + "one\n--xyz--", "[one]"},
		"all lines without CR":       {"--xyz\n" + strings.ReplaceAll(head, "\r", "") + "one\r\n--xyz--\n", "[one\r]"},
		"what looks like a boundary": {"--xyz\r\n" + head + long + "\n--xy\n--xyz--", "[" + long + "\n--xy]"},
		"nothing in it":              {"--xyz\r\n" + head + "\n--xyz--", "[]"},
	} {
		for reader, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with the end": iotest.DataErrReader,
		} {
			t.Run(name+"/"+reader, func(t *testing.T) {
				got, err := readForm(wrap(strings.NewReader(form.body)))
				if got != form.want || err != io.EOF {
					t.Errorf("%.100q, %v; want %.100q", got, err, form.want)
				}
			})
		}
	}
	for name, body := range map[string]io.Reader{
		"cut off":     strings.NewReader("--xyz\r\n" + head + "one\n--xy"),
		"breaks":      io.MultiReader(strings.NewReader("--xyz\r\n"+head+"one\n"), iotest.ErrReader(errors.New("broken"))),
		"another one": strings.NewReader("--abc\r\n" + head + "one\r\n--abc--"),
	} {
		if got, err := readForm(body); err == nil || name == "breaks" && !strings.Contains(err.Error(), "broken") || strings.HasSuffix(got, "]") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// readForm reads the parts of a form of the boundary xyz until it ends or fails.
func readForm(body io.Reader) (string, error) {
	var got strings.Builder
	form := newForm(body, "xyz")
	for {
		part, err := form.NextRawPart()
		if err != nil {
			return got.String(), err
		}
		got.WriteString("[")
		if _, err := io.Copy(&got, part); err != nil {
			return got.String(), err
		}
		got.WriteString("]")
	}
}
