// Package index is the arithmetic of repository-wide indexes: texts that are
// compressed in chunks, and files that are put together from chunks without
// being compressed again.
//
// It knows no database and no package type and imports nothing of the house.
// Its central idea: the chunks of a text, each compressed once by itself
// (Deflate), can be joined to one ordinary gzip member (deflate.go), one xz
// stream (xz.go) or a run of zstd frames, because the checksum of a
// concatenation follows from those of its parts (crc.go). A file is then a
// short Recipe of literals and chunks (recipe.go), streamed, sought and hashed
// without lying anywhere as a whole; and when only its end has changed, it is
// hashed from there (ladder.go).
package index
