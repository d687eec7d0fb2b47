package cran

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"
)

// rds writes values in the form in which R's saveRDS does: the serialization
// format 2, in its binary form, compressed. See "R Internals", section 1.8.
type rds struct {
	out *bufio.Writer // errors stay with it until the end
	z   *gzip.Writer
}

// The types of values, and the flags beside them: has attributes, has a tag,
// is an object of a class.
const (
	rSymbol  = 1
	rPair    = 2
	rChars   = 9
	rInts    = 13
	rReals   = 14
	rStrings = 16
	rList    = 19
	rNil     = 0xfe

	withClass      = 0x100
	withAttributes = 0x200
	withTag        = 0x400

	asciiChars = 0x40000
	utf8Chars  = 0x8000
)

func newRDS(w io.Writer) *rds {
	z := gzip.NewWriter(w)
	r := &rds{out: bufio.NewWriter(z), z: z}
	r.out.WriteString("X\n")
	r.ints(2, 0x00040000, 0x00020300) // the format, who writes it, who can read it
	return r
}

// close ends the file.
func (r *rds) close() error {
	if err := r.out.Flush(); err != nil {
		return err
	}
	return r.z.Close()
}

func (r *rds) ints(all ...int) {
	for _, n := range all {
		r.out.Write(binary.BigEndian.AppendUint32(nil, uint32(int32(n))))
	}
}

// chars writes one text, and NA for the empty one where that stands for none.
func (r *rds) chars(text string, emptyIsNA bool) {
	if text == "" && emptyIsNA {
		r.ints(rChars, -1)
		return
	}
	flags := rChars | asciiChars
	for i := range len(text) {
		if text[i] >= 0x80 {
			flags = rChars | utf8Chars
			break
		}
	}
	r.ints(flags, len(text))
	r.out.WriteString(text)
}

// strings writes a vector of texts.
func (r *rds) strings(all ...string) {
	r.ints(rStrings, len(all))
	for _, text := range all {
		r.chars(text, false)
	}
}

// attribute begins an attribute, whose value follows.
func (r *rds) attribute(name string) {
	r.ints(rPair|withTag, rSymbol)
	r.chars(name, false)
}

func (r *rds) endAttributes() { r.ints(rNil) }

// reals writes numbers; flags tell of attributes behind them.
func (r *rds) reals(flags int, n int, at func(int) float64) {
	r.ints(rReals|flags, n)
	for i := range n {
		r.out.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(at(i))))
	}
}

// matrix writes a matrix of texts, whose columns have names; empty texts are
// NA.
func (r *rds) matrix(names []string, columns [][]string) {
	rows := 0
	if len(columns) > 0 {
		rows = len(columns[0])
	}
	r.ints(rStrings|withAttributes, rows*len(names))
	for _, column := range columns {
		for _, text := range column {
			r.chars(text, true)
		}
	}
	r.attribute("dim")
	r.ints(rInts, 2, rows, len(names))
	r.attribute("dimnames")
	r.ints(rList, 2, rNil)
	r.strings(names...)
	r.endAttributes()
}

// list begins a list of n values with names, which follow at its end.
func (r *rds) list(n int) { r.ints(rList|withAttributes, n) }

func (r *rds) endList(names []string) {
	r.attribute("names")
	r.strings(names...)
	r.endAttributes()
}

// files writes a data frame of files: their names as those of the rows, sizes,
// and instants.
func (r *rds) files(all []repositoryFile, row func(repositoryFile) string) {
	r.ints(rList|withAttributes|withClass, 2)
	r.reals(0, len(all), func(i int) float64 { return float64(all[i].size) })
	r.reals(withAttributes|withClass, len(all), func(i int) float64 { return float64(all[i].modified) })
	r.attribute("class")
	r.strings("POSIXct", "POSIXt")
	r.endAttributes()
	r.attribute("names")
	r.strings("size", "mtime")
	r.attribute("row.names")
	r.ints(rStrings, len(all))
	for _, f := range all {
		r.chars(row(f), false)
	}
	r.attribute("class")
	r.strings("data.frame")
	r.endAttributes()
}
