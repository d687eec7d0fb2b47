package index

import "hash/crc32"

// A CRC is a remainder of polynomials over GF(2). Bytes behind a text multiply
// it by x^8 each, so the CRC of a concatenation is crc(a)·x^(8·len(b)) + crc(b)
// modulo the polynomial. Bits are reflected, as in crc32.IEEE: x^0 is the
// highest bit.

// combineCRC is the CRC-32 (IEEE) of a text whose first part has the CRC a and
// whose second, lenB bytes long, has the CRC b.
func combineCRC(a, b uint32, lenB int64) uint32 {
	return mulCRC(powX8(lenB), a) ^ b
}

// mulCRC multiplies two polynomials modulo that of the CRC.
func mulCRC(a, b uint32) uint32 {
	var product uint32
	for bit := uint32(1) << 31; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crc32.IEEE
		}
	}
	return product
}

// powX8 is x^(8n) modulo the polynomial, by squaring.
func powX8(n int64) uint32 {
	power := uint32(1) << 31       // x^0
	square := uint32(1) << 31 >> 8 // x^8
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			power = mulCRC(square, power)
		}
		square = mulCRC(square, square)
	}
	return power
}
