package rubygems

import "time"

// marshal writes values as Ruby's Marshal does, format 4.8: those kinds of
// values that the indexes are made of. Each stream has symbols of its own,
// which are written once and then referred to.
//
// https://docs.ruby-lang.org/en/master/marshal_rdoc.html
type marshal struct {
	b       []byte
	symbols map[string]int
}

func newMarshal() *marshal {
	return &marshal{b: []byte{4, 8}, symbols: map[string]int{}}
}

// null writes nil.
func (m *marshal) null() { m.b = append(m.b, '0') }

// boolean writes true or false.
func (m *marshal) boolean(v bool) {
	if v {
		m.b = append(m.b, 'T')
	} else {
		m.b = append(m.b, 'F')
	}
}

// integer writes a number of at most 30 bits.
func (m *marshal) integer(n int) {
	m.b = append(m.b, 'i')
	m.long(n)
}

// long writes a number without its kind: lengths, counts, numbers of symbols.
// None of them is below 0.
func (m *marshal) long(n int) {
	switch {
	case n == 0:
		m.b = append(m.b, 0)
	case n < 123:
		m.b = append(m.b, byte(n+5))
	default:
		at := len(m.b)
		m.b = append(m.b, 0)
		for ; n > 0; n >>= 8 {
			m.b = append(m.b, byte(n))
			m.b[at]++
		}
	}
}

// bytes writes a length and as many bytes.
func (m *marshal) bytes(s string) {
	m.long(len(s))
	m.b = append(m.b, s...)
}

// text writes a string in UTF-8.
func (m *marshal) text(s string) {
	m.b = append(m.b, 'I', '"')
	m.bytes(s)
	m.long(1)
	m.symbol("E")
	m.boolean(true)
}

// symbol writes a symbol, or the number of one that was written before.
func (m *marshal) symbol(s string) {
	if n, ok := m.symbols[s]; ok {
		m.b = append(m.b, ';')
		m.long(n)
		return
	}
	m.symbols[s] = len(m.symbols)
	m.b = append(m.b, ':')
	m.bytes(s)
}

// array begins an array; its n values follow.
func (m *marshal) array(n int) {
	m.b = append(m.b, '[')
	m.long(n)
}

// hash begins a hash; its n keys, each with its value behind it, follow.
func (m *marshal) hash(n int) {
	m.b = append(m.b, '{')
	m.long(n)
}

// object begins an object; its n instance variables, each a symbol and a value,
// follow.
func (m *marshal) object(class string, n int) {
	m.b = append(m.b, 'o')
	m.symbol(class)
	m.long(n)
}

// userObject begins an object of a class that makes itself of one value, which
// follows.
func (m *marshal) userObject(class string) {
	m.b = append(m.b, 'U')
	m.symbol(class)
}

// userBytes writes an object of a class that makes itself of bytes.
func (m *marshal) userBytes(class string, content []byte) {
	m.b = append(m.b, 'u')
	m.symbol(class)
	m.bytes(string(content))
}

// time writes an instant of UTC, in whole seconds, of the years 1900 to 2200.
// Ruby packs its parts into two numbers, the low byte first.
func (m *marshal) time(t time.Time) {
	t = t.UTC()
	const packed, utc = 1 << 31, 1 << 30
	date := uint32(packed | utc | (t.Year()-1900)<<14 | int(t.Month()-1)<<10 | t.Day()<<5 | t.Hour())
	clock := uint32(t.Minute()<<26 | t.Second()<<20)
	var b []byte
	for _, n := range []uint32{date, clock} {
		b = append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	m.b = append(m.b, 'I')
	m.userBytes("Time", b)
	m.long(1)
	m.symbol("zone")
	m.b = append(m.b, 'I', '"')
	m.bytes("UTC")
	m.long(1)
	m.symbol("E")
	m.boolean(false) // in ASCII
}
