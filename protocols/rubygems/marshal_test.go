package rubygems

import (
	"bytes"
	"compress/zlib"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestGemspecAsRubyWritesIt compares the gemspecs of gems that Ruby has built
// with what its Marshal writes of them; testdata/golden.rb makes both.
func TestGemspecAsRubyWritesIt(t *testing.T) {
	for _, name := range []string{"ent_a-1.0.0", "ent_a-1.1.0.pre1-x86_64-linux"} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open("testdata/" + name + ".gem")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s, err := inspect(f)
			if err != nil {
				t.Fatal(err)
			}
			packed, err := packGemspec(s)
			if err != nil {
				t.Fatal(err)
			}
			z, err := zlib.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("testdata/" + name + ".marshal")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("written:\n%q\nwant:\n%q", got, want)
			}
		})
	}
}

// TestMarshal compares with what Ruby 3.1 writes.
func TestMarshal(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(*marshal)
		want  string
	}{
		{"nil", func(m *marshal) { m.null() }, "0"},
		{"true and false", func(m *marshal) { m.array(2); m.boolean(true); m.boolean(false) }, "[\aTF"},
		{"0", func(m *marshal) { m.integer(0) }, "i\x00"},
		{"122", func(m *marshal) { m.integer(122) }, "i\x7f"},
		{"123", func(m *marshal) { m.integer(123) }, "i\x01{"},
		{"255", func(m *marshal) { m.integer(255) }, "i\x01\xff"},
		{"256", func(m *marshal) { m.integer(256) }, "i\x02\x00\x01"},
		{"65536", func(m *marshal) { m.integer(65536) }, "i\x03\x00\x00\x01"},
		{"text", func(m *marshal) { m.text("ü") }, "I\"\a\xc3\xbc\x06:\x06ET"},
		{"symbols", func(m *marshal) { m.array(3); m.symbol("a"); m.symbol("b"); m.symbol("a") }, "[\b:\x06a:\x06b;\x00"},
		{"hash", func(m *marshal) { m.hash(1); m.symbol("name"); m.text("a") }, "{\x06:\tnameI\"\x06a\x06:\x06ET"},
		{
			"time", func(m *marshal) { m.time(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) },
			"Iu:\tTime\r\xa0\xaa\x1f\xc0\x00\x00\x00\x00\x06:\tzoneI\"\bUTC\x06:\x06EF",
		},
	} {
		m := newMarshal()
		tt.write(m)
		if got := string(m.b); got != "\x04\b"+tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, "\x04\b"+tt.want)
		}
	}
	long := newMarshal()
	long.text(strings.Repeat("x", 300))
	if !strings.HasPrefix(string(long.b), "\x04\bI\"\x02,\x01xxx") {
		t.Errorf("a long text: %q", long.b[:20])
	}
}
